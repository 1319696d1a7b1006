/** Where media are kept, as the settings say it. */
import type { AzureIdentity } from "../cloud/azure-identity.ts";
import { readAzureIdentity } from "../cloud/config.ts";
import type { Address } from "../secrets/address.ts";
import { type Env, needed, oneOf, secret, text, url } from "../settings/read.ts";

export type Storage =
  | { provider: "filesystem" }
  | { provider: "s3"; bucket: string; region: string; endpoint: string | undefined; keys: AccessKeys | undefined }
  | {
      provider: "azure_blob";
      account: string;
      container: string;
      endpoint: string;
      /** Where there is none, the identity. */
      key: Address | undefined;
      identity: AzureIdentity;
    }
  | { provider: "gcs"; bucket: string; endpoint: string; keyFile: string | undefined };

export interface AccessKeys {
  accessKeyId: Address;
  secretAccessKey: Address;
}

const providers = ["filesystem", "s3", "minio", "azure_blob", "gcs"] as const;

/** Throws StartError on the first setting that is wrong. Those of other stores than the one that is set are not looked at. */
export function readStorage(env: Env): Storage {
  const provider = oneOf(env, "STORAGE_PROVIDER", providers);
  const by = `STORAGE_PROVIDER=${provider}`;
  switch (provider) {
    case "filesystem":
      return { provider };
    case "s3":
      return {
        provider,
        bucket: needed(env, "S3_BUCKET", { by, example: "media" }),
        region: text(env, "S3_REGION") || env["AWS_REGION"] || "us-east-1",
        endpoint: endpoint(env, "S3_ENDPOINT"),
        keys: keysFrom(env, ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]),
      };
    case "minio":
      needed(env, "MINIO_ENDPOINT", { by, example: "http://minio:9000" });
      needed(env, "MINIO_ACCESS_KEY", { by, example: "file:///run/secrets/minio-access-key" });
      return {
        provider: "s3",
        bucket: text(env, "MINIO_BUCKET"),
        region: "us-east-1",
        endpoint: endpoint(env, "MINIO_ENDPOINT"),
        keys: keysFrom(env, ["MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"]),
      };
    case "azure_blob":
      return readAzure(env, by);
    case "gcs":
      return {
        provider,
        bucket: needed(env, "GCS_BUCKET", { by, example: "media" }),
        endpoint: endpoint(env, "GCS_ENDPOINT") ?? text(env, "GCS_ENDPOINT"),
        keyFile: env["GOOGLE_APPLICATION_CREDENTIALS"] || undefined,
      };
  }
}

function readAzure(env: Env, by: string): Storage {
  const account = needed(env, "AZURE_STORAGE_ACCOUNT", { by, example: "parleymedia" });
  return {
    provider: "azure_blob",
    account,
    container: text(env, "AZURE_STORAGE_CONTAINER"),
    endpoint: endpoint(env, "AZURE_STORAGE_ENDPOINT") ?? `https://${account}.blob.core.windows.net`,
    key: secret(env, "AZURE_STORAGE_KEY"),
    identity: readAzureIdentity(env),
  };
}

function endpoint(env: Env, name: string): string | undefined {
  return url(env, name, ["http:", "https:"])?.replace(/\/+$/, "");
}

/** Both or none. */
function keysFrom(env: Env, [id, secretOfId]: readonly [id: string, secret: string]): AccessKeys | undefined {
  const [accessKeyId, secretAccessKey] = [secret(env, id), secret(env, secretOfId)];
  if (accessKeyId !== undefined) needed(env, secretOfId, { by: id, example: "file:///run/secrets/secret-key" });
  if (secretAccessKey !== undefined) needed(env, id, { by: secretOfId, example: "file:///run/secrets/access-key" });
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}
