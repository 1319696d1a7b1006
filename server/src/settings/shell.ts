/** The shell, where it asks a running Parley. See cli/operation-api.ts. */
import type { Setting } from "./setting.ts";

export const shellSettings: readonly Setting[] = [
  {
    name: "PARLEY_SERVER_URL",
    doc: "For the commands of operators: where Parley is. By default this machine, at PARLEY_PORT, and then PARLEY_PUBLIC_URL.",
  },
  {
    name: "PARLEY_ADMIN_TOKEN",
    secret: true,
    doc: "For the commands of operators, where the database is out of reach: an operator's access token.",
  },
];
