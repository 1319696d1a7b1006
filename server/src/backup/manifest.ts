/**
 * What a backup is: a folder with one file for each table (PostgreSQL's COPY text, gzip), the list of blobs, the blobs themselves if
 * they were wanted, and a manifest, which is written last: a folder without one is no backup.
 *
 *     manifest.json            what is here: see below
 *     tables/<schema>.<table>.gz
 *     blobs.txt                a line for each blob that the database speaks of: SHA-256, a space, its size in bytes
 *     blobs/<ab>/<SHA-256>     where blobs were copied too
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asError, StartError } from "../errors.ts";
import { checkFile } from "./files.ts";

const file = z.object({ file: z.string(), size_bytes: z.number(), sha256: z.string() });

const manifestSchema = z.object({
  format: z.literal(1),
  /** Of Parley, and of PostgreSQL. */
  version: z.string(),
  postgresql: z.string(),
  taken_at: z.string(),
  server_name: z.string().nullable(),
  /** The log as of the backup: up to which position, in which history, and what makes it recognisable. See digest.ts. */
  log: z.object({ position: z.number(), epoch: z.number(), entries: z.number(), digest: z.string() }),
  /** What the schema was. */
  migrations: z.array(z.object({ schema: z.string(), number: z.number(), name: z.string() })),
  /** In an order in which they can be filled. */
  tables: z.array(file.extend({ name: z.string(), columns: z.array(z.string()), rows: z.number() })),
  blobs: file.extend({ count: z.number(), total_bytes: z.number(), are_copied: z.boolean() }),
});

export type Manifest = z.output<typeof manifestSchema>;
export type BackedUpTable = Manifest["tables"][number];

export const MANIFEST = "manifest.json";
export const BLOBS = "blobs.txt";

/** Throws StartError where the folder is no backup of a format that this version knows. */
export async function readManifest(folder: string): Promise<Manifest> {
  let text;
  try {
    text = await readFile(join(folder, MANIFEST), "utf8");
  } catch (thrown) {
    throw new StartError(
      `${folder} is no backup: ${MANIFEST} can not be read (${asError(thrown).message}). A backup that was cut short has none.`,
      { cause: thrown },
    );
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new StartError(
      `${join(folder, MANIFEST)} is not what this version of Parley writes: use the version that did.`,
      {
        cause: thrown,
      },
    );
  }
}

/** A line of blobs.txt. */
export interface ListedBlob {
  sha256: string;
  size_bytes: number;
}

/** The list of blobs. Throws StartError where it is not the one that was written: one that is cut short would miss nothing. */
export async function readBlobList(folder: string, { blobs }: Pick<Manifest, "blobs">): Promise<ListedBlob[]> {
  await checkFile(join(folder, BLOBS), blobs);
  const lines = (await readFile(join(folder, BLOBS), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [sha256 = "", size = ""] = line.split(" ");
    return { sha256, size_bytes: Number(size) };
  });
}
