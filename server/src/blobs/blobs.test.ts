/**
 * The stores, each with a server that speaks its protocol: those that others wrote (s3rver, Azurite), and the clouds of the testkit,
 * which check more and go wrong when they are told to.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import S3rver from "s3rver";
import { startAzureBlob } from "../../../testkit/src/clouds/azure-blob.ts";
import { missingAzurite, startAzurite } from "../../../testkit/src/clouds/azurite.ts";
import { startGcs } from "../../../testkit/src/clouds/gcs.ts";
import { startEntra, startGoogleTokens } from "../../../testkit/src/clouds/identities.ts";
import { startS3 } from "../../../testkit/src/clouds/s3.ts";
import { readConfig } from "../config.ts";
import { realSeams } from "../seams.ts";
import { conform, type Store } from "./conformance.ts";
import { openBlobs } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-blobs-"));
const ends: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true, force: true });
});

const logger = { warn: () => {} };
let opened = 0;

/** As a process with these settings opens it: each has a folder of its own. */
function opener(env: Record<string, string>): Store["open"] {
  const { storage } = readConfig(env);
  return () => openBlobs({ storage, dataDir: join(folder, String(++opened)), seams: realSeams, logger });
}

/** One store for all the rules of an adapter, started by the first that needs it. */
function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
}

function use<T extends AsyncDisposable>(started: T): T {
  ends.push(async () => started[Symbol.asyncDispose]());
  return started;
}

const namesOf = (objects: Map<string, Buffer>) => async () => [...objects.keys()].toSorted();

conform({
  name: "filesystem",
  skip: false,
  store: once(async () => {
    const dataDir = join(folder, "files");
    const names = async () => {
      const found = await readdir(join(dataDir, "media"), { recursive: true, withFileTypes: true });
      return found.filter((each) => each.isFile() && !each.parentPath.endsWith("incoming")).map((each) => each.name);
    };
    return { open: () => openBlobs({ storage: { provider: "filesystem" }, dataDir, seams: realSeams, logger }), names };
  }),
});

conform({
  name: "s3",
  skip: false,
  store: once(async () => {
    const s3 = use(await startS3());
    const open = opener({
      STORAGE_PROVIDER: "s3",
      S3_ENDPOINT: s3.url,
      S3_BUCKET: s3.bucket,
      S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
    });
    return { open, names: namesOf(s3.objects) };
  }),
});

conform({
  name: "minio, against s3rver",
  skip: false,
  store: once(async () => {
    const directory = join(folder, "s3rver");
    const server = new S3rver({
      port: 0,
      address: "127.0.0.1",
      silent: true,
      directory,
      vhostBuckets: false,
      configureBuckets: [{ name: "media", configs: [] }],
    });
    const { port } = await server.run();
    ends.push(() => server.close());
    const names = async () => {
      const found = await readdir(join(directory, "media"), { recursive: true });
      return found.filter((each) => each.endsWith("_object") && !each.includes("uploads/")).toSorted();
    };
    const open = opener({
      STORAGE_PROVIDER: "minio",
      MINIO_ENDPOINT: `http://127.0.0.1:${port}`,
      MINIO_ACCESS_KEY: "S3RVER",
      MINIO_SECRET_KEY: "S3RVER",
    });
    return { open, names };
  }),
});

conform({
  name: "azure, by the account's key",
  skip: false,
  store: once(async () => {
    const azure = use(await startAzureBlob());
    const open = opener({
      STORAGE_PROVIDER: "azure_blob",
      AZURE_STORAGE_ACCOUNT: azure.account,
      AZURE_STORAGE_KEY: azure.key,
      AZURE_STORAGE_ENDPOINT: azure.url,
    });
    return { open, names: namesOf(azure.objects) };
  }),
});

const noAzurite = missingAzurite();
if (noAzurite) console.error(`The store of Azure is not tested against Azurite: ${noAzurite}.`);

conform({
  name: "azure, against Azurite",
  skip: noAzurite,
  store: once(async () => {
    const azurite = use(await startAzurite());
    const open = opener({
      STORAGE_PROVIDER: "azure_blob",
      AZURE_STORAGE_ACCOUNT: azurite.account,
      AZURE_STORAGE_KEY: azurite.key,
      AZURE_STORAGE_ENDPOINT: azurite.endpoint,
    });
    return { open, names: azurite.names };
  }),
});

conform({
  name: "azure, by a workload identity",
  skip: false,
  store: once(async () => {
    const entra = use(await startEntra());
    const azure = use(await startAzureBlob(entra.isToken));
    const open = opener({
      STORAGE_PROVIDER: "azure_blob",
      AZURE_STORAGE_ACCOUNT: azure.account,
      AZURE_STORAGE_ENDPOINT: azure.url,
      AZURE_TENANT_ID: entra.tenantId,
      AZURE_CLIENT_ID: entra.clientId,
      AZURE_FEDERATED_TOKEN_FILE: entra.federatedTokenFile,
      AZURE_AUTHORITY_HOST: entra.url,
    });
    return { open, names: namesOf(azure.objects) };
  }),
});

conform({
  name: "gcs, by a federated identity",
  skip: false,
  store: once(async () => {
    const google = use(await startGoogleTokens());
    const gcs = use(await startGcs(google.isToken));
    const open = opener({
      STORAGE_PROVIDER: "gcs",
      GCS_BUCKET: gcs.bucket,
      GCS_ENDPOINT: gcs.url,
      GOOGLE_APPLICATION_CREDENTIALS: google.keyFile,
    });
    return { open, names: namesOf(gcs.objects) };
  }),
});
