/** The version of this Parley, from the package that it is. */
import { readFileSync } from "node:fs";

const file = readFileSync(new URL("../package.json", import.meta.url), "utf8");

export const version = (JSON.parse(file) as { version: string }).version;
