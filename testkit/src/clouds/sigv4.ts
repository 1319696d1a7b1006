// Checks AWS Signature Version 4 as AWS does: from what arrived alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHash, createHmac } from "node:crypto";
import type { Asked } from "./serve.ts";

export type AwsKeys = { accessKeyId: string; secretAccessKey: string };

/** How far the clocks may be apart. */
const SKEW_MS = 15 * 60_000;

/** AWS's code of what is wrong with the signature; undefined where it is right. */
export function refusalOf(asked: Asked, { accessKeyId, secretAccessKey }: AwsKeys, service: string) {
  const header = asked.headers["authorization"] ?? "";
  const [, credential = "", names = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header) ?? [];
  const [id, day = "", region = "", named] = credential.split("/");
  if (signature === undefined) return "AccessDenied";
  if (id !== accessKeyId) return service === "s3" ? "InvalidAccessKeyId" : "UnrecognizedClientException";
  const time = asked.headers["x-amz-date"] ?? "";
  const at_ms = Date.parse(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(Date.now() - at_ms) < SKEW_MS) || !time.startsWith(day) || named !== service)
    return "RequestTimeTooSkewed";
  const claimed = asked.headers["x-amz-content-sha256"] ?? sha256(asked.body);
  if (service === "s3" && claimed !== sha256(asked.body)) return "XAmzContentSHA256Mismatch";
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical(asked, names.split(";"), claimed))].join("\n");
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  return createHmac("sha256", key).update(text).digest("hex") === signature ? undefined : "SignatureDoesNotMatch";
}

function canonical({ method, path, query, headers }: Asked, names: readonly string[], hash: string): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const parameters = [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`).toSorted();
  const lines = names.map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}\n`);
  return [method, path, parameters.join("&"), lines.join(""), names.join(";"), hash].join("\n");
}

export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
