/** The registration files that the setting PARLEY_APPSERVICES names: files, or folders whose .yaml files are all read. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Registration, readRegistration } from "./registration.ts";

/** All registrations. Throws StartError where a file is wrong, or two say that they are the same service. */
export async function readRegistrations(paths: readonly string[]): Promise<Registration[]> {
  const files = paths.flatMap(filesAt);
  if (files.length > limits.services)
    throw new StartError(`PARLEY_APPSERVICES names ${files.length} files: at most ${limits.services} are read.`);
  const read = await Promise.all(
    files.map(async (file) => ({ file, registration: await readRegistration(textOf(file), file) })),
  );
  refuseDoubles(read);
  return read.map(({ registration }) => registration);
}

/** What changes whenever one of the files does: names, sizes and times. A file that is away counts too. */
export function fingerprintOf(paths: readonly string[]): string {
  try {
    return paths
      .flatMap(filesAt)
      .map((file) => {
        const { size, mtimeMs, ino } = statSync(file);
        return `${file} ${size} ${mtimeMs} ${ino}`;
      })
      .join("\n");
  } catch (thrown) {
    return asError(thrown).message;
  }
}

/** Kubernetes mounts secrets as links beside folders whose names begin with two dots. */
function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /^[^.].*\.ya?ml$/.test(name));
    return names.toSorted().map((name) => join(path, name));
  } catch (thrown) {
    throw new StartError(
      `PARLEY_APPSERVICES names ${path}, which can not be read: ${asError(thrown).message}. Correct the path, or let the server's user read it.`,
    );
  }
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > limits.serviceFile_bytes)
      throw new Error(`it has more than ${limits.serviceFile_bytes} bytes`);
    return readFileSync(file, "utf8");
  } catch (thrown) {
    throw new StartError(`${file} can not be read: ${asError(thrown).message}.`);
  }
}

/** Specification: ids and tokens must be unique. A file may be named twice by a mistake: that is said as what it is. */
function refuseDoubles(read: readonly { file: string; registration: Registration }[]): void {
  const members = [
    ["id", "id"],
    ["as_token", "asToken"],
    ["sender_localpart", "senderLocalpart"],
  ] as const;
  for (const [name, member] of members) {
    const seen = new Map<string, string>();
    for (const { file, registration } of read) {
      const first = seen.get(registration[member]);
      if (first !== undefined)
        throw new StartError(
          `${first} and ${file} have the same ${name}: each application service needs its own. Change it in one of them.`,
        );
      seen.set(registration[member], file);
    }
  }
}
