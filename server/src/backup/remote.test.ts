/** Backups that a job makes: named by their moment, a few of them kept, sent to an object store and fetched again. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import { startS3 } from "../../../testkit/src/clouds/s3.ts";
import { parley as parleyWith } from "../../../testkit/src/command.ts";
import type { Json } from "../../../testkit/src/http.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { nameOf } from "../blobs/blobs.ts";
import { connectOwner } from "../db/database.ts";
import { keepNewest, newestIn } from "./dated.ts";
import { blobPath } from "./take.ts";

const scratch = mkdtempSync(join(tmpdir(), "parley-backups-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function parley(typed: readonly string[], env: Record<string, string>): Promise<Json> {
  const { code, json } = await parleyWith([...typed, "--json"], { env });
  return { code, ...json() };
}

test("a dated backup is sent, what the store has of uploads is not sent again, and the newest is fetched as it was", async () => {
  await using database = await createTestDatabase();
  await using store = await startS3();
  const [folder, dataDir] = [join(scratch, "sent"), join(scratch, "data")];
  const own = { DATABASE_URL: database.url, PARLEY_DATA_DIR: dataDir };
  const bucket = { STORAGE_PROVIDER: "s3", S3_BUCKET: store.bucket, S3_ENDPOINT: store.url };
  const keys = { S3_ACCESS_KEY_ID: store.keys.accessKeyId, S3_SECRET_ACCESS_KEY: store.keys.secretAccessKey };
  const there = { ...bucket, ...keys };
  const sha256 = await upload(database.url, dataDir);

  const made = await parley(["backup", folder, "--dated", "--keep", "2", "--files"], own);
  assert.equal(made.code, 0, made.error);
  assert.match(basename(made.folder), /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/);
  const [first, second] = [
    await parley(["backup", "send", folder, "--newest"], there),
    await parley(["backup", "send", made.folder], there),
  ];
  assert.deepEqual([first.name, first.newFiles, second.newFiles], [basename(made.folder), 1, 0]);
  assert.ok(store.objects.has(`backups/blobs/${sha256.slice(0, 2)}/${sha256}`));

  const drill = await parley(["restore", "drill", folder, "--newest"], own);
  assert.deepEqual(
    [drill.code, drill.checks.map(({ ok }: Json) => ok)],
    [0, drill.checks.map(() => true)],
    drill.error,
  );
  assert.ok(["log", "epoch", "files"].every((name) => drill.checks.some(({ check }: Json) => check === name)));
  assert.deepEqual(await databases(database.url, "parley_drill%"), []);

  const fetched = join(scratch, "fetched");
  const done = await parley(["backup", "fetch", "newest", fetched], there);
  assert.deepEqual([done.code, done.name], [0, first.name]);
  const files = (of: string) =>
    readdirSync(of, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  assert.equal(files(fetched).length, files(made.folder).length);
  for (const { parentPath, name } of files(made.folder)) {
    const path = join(parentPath, name).slice(made.folder.length);
    assert.deepEqual(readFileSync(join(fetched, path)), readFileSync(join(made.folder, path)), path);
  }
});

test("a file that was damaged in the store is found, and what was fetched is no backup", async () => {
  await using database = await createTestDatabase();
  await using store = await startS3();
  const own = { DATABASE_URL: database.url, PARLEY_DATA_DIR: join(scratch, "nothing") };
  const there = {
    STORAGE_PROVIDER: "minio",
    MINIO_ENDPOINT: store.url,
    MINIO_ACCESS_KEY: store.keys.accessKeyId,
    MINIO_SECRET_KEY: store.keys.secretAccessKey,
  };
  const folder = join(scratch, "damaged");
  assert.equal((await parley(["backup", folder], own)).code, 0);
  assert.equal((await parley(["backup", "send", folder], there)).code, 0);
  const table = "backups/damaged/tables/log.head.gz";
  const bytes = Buffer.from(store.objects.get(table) as Buffer);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  store.objects.set(table, bytes);
  const into = join(scratch, "broken");
  const fetched = await parley(["backup", "fetch", "damaged", into], there);
  assert.equal(fetched.code, 1);
  assert.match(fetched.error, /log.head.gz .* is not what was sent/);
  assert.equal(readdirSync(into).includes("manifest.json"), false);
  assert.match(
    (await parley(["backup", "fetch", "other", join(scratch, "other")], there)).error,
    /has no backups\/other/,
  );
  assert.match((await parley(["backup", "send", into], there)).error, /is no backup/);
  assert.match((await parley(["backup", "send", folder], own)).error, /STORAGE_PROVIDER is not set/);
});

test("a backup that was damaged here is not sent, and nothing of it there passes for a backup", async () => {
  await using database = await createTestDatabase();
  await using store = await startS3();
  const own = { DATABASE_URL: database.url, PARLEY_DATA_DIR: join(scratch, "harmed-data") };
  const there = {
    STORAGE_PROVIDER: "minio",
    MINIO_ENDPOINT: store.url,
    MINIO_ACCESS_KEY: store.keys.accessKeyId,
    MINIO_SECRET_KEY: store.keys.secretAccessKey,
  };
  const blob = await upload(database.url, own.PARLEY_DATA_DIR);
  const folder = join(scratch, "harmed");
  assert.equal((await parley(["backup", folder, "--files"], own)).code, 0);
  for (const path of [blobPath(folder, blob), join(folder, "blobs.txt"), join(folder, "tables", "log.head.gz")]) {
    const bytes = readFileSync(path);
    writeFileSync(
      path,
      bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
    );
    const { code, error } = await parley(["backup", "send", folder], there);
    assert.deepEqual([code, /is not the file that the backup wrote/.test(error)], [1, true], error);
    writeFileSync(path, bytes);
    const sent = [...store.objects.keys()];
    assert.ok(!sent.some((name) => name.endsWith("manifest.json") || name.endsWith("newest")), sent.join());
    assert.ok(!sent.some((name) => name.endsWith(path.slice(folder.length))));
  }
  assert.equal((await parley(["backup", "send", folder], there)).newFiles, 0);
});

test("the newest backups are kept; what was cut short goes with the old ones, what is in the making stays", async () => {
  const folder = join(scratch, "kept");
  const days = ["01", "02", "03", "04", "05"].map((day) => `2026-11-${day}T02-30-00Z`);
  for (const name of [...days, "mine", "2026-11-06"]) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ["mine", days[0], days[2], days[3]])
    writeFileSync(join(folder, name as string, "manifest.json"), "{}");
  assert.equal(await newestIn(folder), join(folder, days[3] as string));
  assert.deepEqual(await keepNewest(folder, 1), days.slice(0, 3));
  assert.deepEqual(readdirSync(folder).toSorted(), [
    "2026-11-04T02-30-00Z",
    "2026-11-05T02-30-00Z",
    "2026-11-06",
    "mine",
  ]);
  assert.deepEqual(await keepNewest(folder, 3), []);
  cpSync(folder, join(scratch, "none"), { recursive: true });
  rmSync(join(scratch, "none", days[3] as string), { recursive: true });
  await assert.rejects(newestIn(join(scratch, "none")), /There is no backup in/);
  assert.equal((await parley(["backup", folder, "--keep", "2"], {})).code, 2);
});

test("a drill finds what is missing in the backup, and its database goes also then", async () => {
  await using database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR: join(scratch, "drilled") };
  const sha256 = await upload(database.url, env.PARLEY_DATA_DIR);
  const folder = join(scratch, "incomplete");
  assert.equal((await parley(["backup", folder, "--files"], env)).code, 0);
  rmSync(blobPath(folder, sha256));
  const drill = await parley(["restore", "drill", folder], env);
  assert.equal(drill.code, 1);
  assert.deepEqual(
    drill.checks.filter(({ ok }: Json) => !ok).map(({ check }: Json) => check),
    ["files"],
  );
  rmSync(join(folder, "tables", "log.head.gz"));
  assert.equal((await parley(["restore", "drill", folder], env)).code, 1);
  assert.deepEqual(await databases(database.url, "parley_drill%"), []);
});

test("the epoch is raised once after a recovery, and not again once somebody has written", async () => {
  await using database = await createTestDatabase();
  const env = { DATABASE_URL: database.url };
  assert.equal((await parley(["restore", "epoch", "--once"], env)).epoch, undefined);
  const client = await connectOwner(database.url);
  // As a recovery leaves it: what was written last is of the timeline before.
  await client.query("set session_replication_role = replica");
  await client.query("update log.head set timeline = '00000000'");
  await client.end();
  assert.ok((await parley(["restore", "epoch", "--once"], env)).epoch > 1);
  assert.equal((await parley(["restore", "epoch", "--once"], env)).epoch, undefined);
});

async function databases(url: string, like: string): Promise<string[]> {
  const client = await connectOwner(url);
  const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname like $1", [
    like,
  ]);
  await client.end();
  return rows.map(({ datname }) => datname);
}

/** A file that the database speaks of, in the store of this data directory. */
async function upload(url: string, dataDir: string): Promise<string> {
  const bytes = Buffer.from("a file");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const path = join(dataDir, "media", nameOf(sha256));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  const client = await connectOwner(url);
  await client.query(
    `insert into media.media (media_id, user_id, created_at, sha256, size_bytes, content_type)
     values ('a', '@a:b', now(), $1, $2, 'text/plain')`,
    [sha256, bytes.length],
  );
  await client.end();
  return sha256;
}
