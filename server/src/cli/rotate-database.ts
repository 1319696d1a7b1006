/**
 * A new password for the database user, while any number of processes are running, without one that is not let in. The file that
 * DATABASE_URL names is a ring of two:
 *
 * 1. Publish: the file has the old address and the new one. Whoever connects tries one after the other.
 * 2. Change: the database takes the new password and no other. Connections that are open stay open.
 * 3. Retire: the file has the new address only.
 *
 * Cut short anywhere, the file still has the address that is let in; the next rotation goes on from there.
 */
import { chownSync, chmodSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { alterOwnPassword, connectOwner } from "../db/database.ts";
import { readAddresses } from "../db/hosts.ts";
import { StartError } from "../errors.ts";
import { isInFile } from "../secrets/address.ts";
import { pause, randomToken, type Seams } from "../seams.ts";

/** What the database lists the connections as. */
const NAME = "parley rotate";

export interface RotateDatabase {
  /** DATABASE_URL. */
  address: string | undefined;
  /** How long the file may take to be the new one everywhere: none where all processes read the same file. */
  wait_ms: number;
  seams: Seams;
  /** Told of each step; never of a password. */
  say(text: string): void;
}

/** Throws StartError where there is no password to change, or the new one is not let in. */
export async function rotateDatabase({ address, wait_ms, seams, say }: RotateDatabase): Promise<void> {
  if (address === undefined)
    throw new StartError("The embedded database asks for no password: there is none to rotate.");
  if (!isInFile(address))
    throw new StartError(
      "The password is in DATABASE_URL itself, which running processes read once: put the address into a file, set DATABASE_URL to file:// and its path, restart, and rotate then.",
    );
  const file = fileURLToPath(address);
  // Held to the end: it is let in, whatever becomes of the password.
  const { address: used, client } = await connectInUse(readAddresses(address));
  try {
    const password = randomToken(seams, 32);
    const renewed = withPassword(used, password);
    replaceFile(file, [used, renewed]);
    say(`published: ${file} has the old address and the new one`);
    await pause(seams, wait_ms);
    await alterOwnPassword(client, password, seams);
    say("changed: the database takes the new password only");
    await pause(seams, wait_ms);
    await (await connectOwner(renewed, NAME)).end();
    replaceFile(file, [renewed]);
    say(`retired: ${file} has the new address only`);
  } finally {
    await client.end();
  }
}

/** Of several addresses, as a rotation that was cut short leaves them, the one that is let in. */
async function connectInUse(addresses: readonly string[]) {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return { address, client: await connectOwner(address, NAME) };
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw failure;
}

const USER = /^(postgres(?:ql)?:\/\/[^:@/?]+)(?::[^@/?]*)?@/;

function withPassword(address: string, password: string): string {
  if (!USER.test(address))
    throw new StartError(
      "The address of the database names no user: write it as postgres://user:password@host/database.",
    );
  return address.replace(USER, (_all, before: string) => `${before}:${password}@`);
}

/** In one step, for whoever reads it at this moment; with the rights that it has. */
function replaceFile(file: string, lines: readonly string[]): void {
  const { mode, uid, gid } = statSync(file);
  const beside = `${file}.new`;
  writeFileSync(beside, `${lines.join("\n")}\n`, { mode: 0o600 });
  chownSync(beside, uid, gid);
  chmodSync(beside, mode);
  renameSync(beside, file);
}
