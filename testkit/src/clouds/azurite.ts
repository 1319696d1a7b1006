// Azurite, Microsoft's emulator of Azure's storage, where `npm test` has brought it (scripts/lib/azurite.mjs).

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signature } from "../../../server/src/blobs/azure.ts";
import { freePort } from "../ports.ts";
import { supervise } from "../services.ts";

const PROGRAM = join(
  import.meta.dirname,
  "../../../.runtime/azurite-3.34.0/node_modules/azurite/dist/src/blob/main.js",
);

/** The account and key that every Azurite has, as its documentation says. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export type Azurite = AsyncDisposable & {
  account: string;
  key: string;
  endpoint: string;
  container: string;
  /** What is in the container. */
  names(): Promise<string[]>;
};

/** Why tests with it are skipped; false where it is there. */
export function missingAzurite(): string | false {
  return !existsSync(PROGRAM) && "Azurite is not in .runtime (npm test -- server/src/blobs brings it)";
}

/** Starts it, with a container that is empty. */
export async function startAzurite(): Promise<Azurite> {
  const folder = mkdtempSync(join(tmpdir(), "parley-azurite-"));
  const port = await freePort();
  const place = ["--location", folder, "--blobHost", "127.0.0.1", "--blobPort", String(port)];
  const args = [PROGRAM, ...place, "--silent", "--disableTelemetry"];
  const running = await supervise({ program: process.execPath, args, ready: /successfully listens/ });
  const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`;
  const container = "media";
  await ask(endpoint, "PUT", { path: `/${container}`, query: "restype=container" });
  return {
    account: ACCOUNT,
    key: KEY,
    endpoint,
    container,
    async names() {
      const list = await ask(endpoint, "GET", { path: `/${container}`, query: "comp=list&restype=container" });
      return [...list.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name = ""]) => name);
    },
    async [Symbol.asyncDispose]() {
      await running.end();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function ask(endpoint: string, method: string, { path, query }: { path: string; query: string }) {
  const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-12-02" };
  const signed = signature(KEY, { method, path: `/${ACCOUNT}${path}`, query, account: ACCOUNT, headers });
  const authorization = `SharedKey ${ACCOUNT}:${signed}`;
  const answer = await fetch(`${endpoint}${path}?${query}`, { method, headers: { ...headers, authorization } });
  if (!answer.ok) throw new Error(`Azurite answered ${answer.status}`);
  return answer.text();
}
