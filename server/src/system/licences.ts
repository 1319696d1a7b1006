/** What Parley is made of and under which licences, from the packages as they are installed. Read when somebody asks. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { limits } from "../limits.ts";

export interface Licence {
  name: string;
  version: string;
  licence: string;
}

/** Each package with its version once, by name. Of an image these are the packages of the server, of a checkout also those that build it. */
export async function readLicences(): Promise<Licence[]> {
  const root = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
  const own = fileURLToPath(new URL("../../node_modules/", import.meta.url));
  const folders = [...(await packagesIn(root)), ...(await packagesIn(own))].slice(0, limits.licences);
  const found = new Map<string, Licence>();
  for (const folder of folders) {
    const licence = await readPackage(folder);
    if (licence) found.set(`${licence.name}@${licence.version}`, licence);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The folders of packages, with those of scopes; none where there is no such folder. */
async function packagesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  // What is a link is a part of Parley itself.
  const names = entries.filter((each) => each.isDirectory() && !each.name.startsWith(".")).map(({ name }) => name);
  const nested = names.map(async (name) =>
    name.startsWith("@") ? await packagesIn(join(folder, name)) : [join(folder, name)],
  );
  return (await Promise.all(nested)).flat();
}

async function readPackage(folder: string): Promise<Licence | undefined> {
  try {
    const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
      name?: string;
      version?: string;
      license?: string | { type?: string };
    };
    if (!name || !version) return undefined;
    return { name, version, licence: (typeof license === "string" ? license : license?.type) ?? "not said" };
  } catch {
    return undefined;
  }
}
