/** As much of the Kubernetes API as a pod of a release talks to: Secrets are created, by who has the token. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { KubernetesObject } from "./schema.ts";

export interface ApiServer extends AsyncDisposable {
  port: number;
  /** Its certificate authority: what kube-root-ca.crt has. */
  certificate: string;
}

export interface Served {
  /** Where the key is made. */
  directory: string;
  namespace: string;
  token: string;
  /** Gives false where there is one of this name already. */
  create(secret: KubernetesObject): boolean;
}

export async function startApiServer({ directory, namespace, token, create }: Served): Promise<ApiServer> {
  const [key, certificate] = makeCertificate(directory);
  const take = async (request: IncomingMessage): Promise<number> => {
    if (request.headers.authorization !== `Bearer ${token}`) return 401;
    if (request.method !== "POST" || request.url !== `/api/v1/namespaces/${namespace}/secrets`) return 403;
    return create(JSON.parse(await text(request)) as KubernetesObject) ? 201 : 409;
  };
  const server = createServer({ key, cert: certificate }, (request, response) => {
    void take(request).then((status) => response.writeHead(status, { "content-type": "application/json" }).end("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { port: (server.address() as AddressInfo).port, certificate, [Symbol.asyncDispose]: close };
}

function makeCertificate(directory: string): [key: string, certificate: string] {
  const [key, certificate] = [join(directory, "api.key"), join(directory, "api.crt")];
  const what = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "1",
    "-subj",
    "/CN=kubernetes",
  ];
  const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...what, ...names, "-keyout", key, "-out", certificate], { stdio: "pipe" });
  return [readFileSync(key, "utf8"), readFileSync(certificate, "utf8")];
}
