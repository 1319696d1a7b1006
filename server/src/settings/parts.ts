/**
 * Settings of other software that are a part of one here, or several in one: the database in parts, and an address to listen on
 * that has the port in it. See read-parts.ts.
 */
import type { Setting } from "./setting.ts";

export const partSettings: readonly Setting[] = [
  { name: "DB_HOST", doc: "The database in parts, in place of DATABASE_URL: its host." },
  { name: "DB_PORT", default: "5432", doc: "With DB_HOST: its port." },
  { name: "DB_NAME", doc: "With DB_HOST: which of its databases." },
  { name: "DB_USER", doc: "With DB_HOST: as whom." },
  { name: "DB_PASSWORD", secret: true, doc: "With DB_HOST: the user's password." },
  {
    name: "ADDR",
    aliases: ["MESSAGES_ADDR"],
    doc: "PARLEY_HOST and PARLEY_PORT in one, such as :8082 for every address of the machine, or 127.0.0.1:8082.",
  },
];
