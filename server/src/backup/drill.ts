/**
 * A restore, tried beside what runs: into a database of its own on the same PostgreSQL, which is made for it and goes with it. The
 * uploaded files are read where the backup has them.
 */
import { createReadStream, existsSync } from "node:fs";
import { type Connection, connectOwner } from "../db/database.ts";
import { addressesOf, inDatabase } from "../db/hosts.ts";
import { asError, StartError } from "../errors.ts";
import { randomToken, type Seams } from "../seams.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { restore } from "./restore.ts";
import { blobPath } from "./take.ts";
import { type Verified, verify } from "./verify.ts";

/** What the database lists the connections as. */
const NAME = "parley drill";

export interface Drill {
  /** Of a user that may create databases; the one it leads to is left alone. */
  url: string;
  folder: string;
  seams: Seams;
  say(text: string): void;
}

/** What the checks say of the restored database, which is gone then. Throws StartError where it can not be restored. */
export async function drill({ url, folder, seams, say }: Drill): Promise<{ manifest: Manifest; checks: Verified[] }> {
  const manifest = await readManifest(folder);
  const { address, owner } = await connect(url);
  const name = `parley_drill_${Buffer.from(randomToken(seams, 9)).toString("hex").slice(0, 12)}`;
  try {
    await create(owner, name);
    say(`a database of its own: ${name}`);
    try {
      const own = inDatabase(address, name);
      await restore({ url: own, folder, blobs: undefined, seams, say });
      return { manifest, checks: await look(own, { manifest, folder }) };
    } finally {
      await owner.query(`drop database if exists ${name} with (force)`);
    }
  } finally {
    await owner.end();
  }
}

async function create(owner: Connection, name: string): Promise<void> {
  try {
    await owner.query(`create database ${name} encoding 'UTF8' template template0`);
  } catch (thrown) {
    const { rows } = await owner.query<{ name: string }>("select quote_ident(current_user) as name");
    throw new StartError(
      `No database can be made for the drill (${asError(thrown).message}). Have an administrator of the database run: alter role ${rows[0]?.name} createdb;`,
      { cause: thrown },
    );
  }
}

/** The first address that lets somebody in, and the connection. */
async function connect(url: string): Promise<{ address: string; owner: Connection }> {
  const addresses = addressesOf(url);
  for (const address of addresses.slice(0, -1))
    try {
      return { address, owner: await connectOwner(address, NAME) };
    } catch {
      // The password before or the one after.
    }
  const address = addresses.at(-1) as string;
  return { address, owner: await connectOwner(address, NAME) };
}

async function look(url: string, { manifest, folder }: { manifest: Manifest; folder: string }): Promise<Verified[]> {
  const client = await connectOwner(url, NAME);
  const get = async (sha256: string) => {
    const path = blobPath(folder, sha256);
    return existsSync(path) ? createReadStream(path) : undefined;
  };
  try {
    return await verify({ client, manifest, blobs: manifest.blobs.are_copied ? { get } : undefined });
  } finally {
    await client.end();
  }
}
