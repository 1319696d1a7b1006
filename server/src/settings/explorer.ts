/** The explorer of graphs, and where the passwords of its saved connections are kept. See explorer/config.ts. */
import type { Setting } from "./setting.ts";

export const explorerSettings: readonly Setting[] = [
  {
    name: "PARLEY_EXPLORER_HOSTS",
    default: "",
    doc: "Hosts and networks that saved connections may reach, with commas, such as db.example.org, *.data.example.org:5433 or 10.1.0.0/16. By default none.",
  },
  {
    name: "CREDENTIAL_STORAGE_TYPE",
    default: "postgresql",
    doc: "Where saved connections are kept: postgresql or json_file.",
  },
  {
    name: "CREDENTIAL_STORAGE_PATH",
    doc: "With json_file: the file. By default credentials.json in PARLEY_DATA_DIR.",
  },
  {
    name: "CREDENTIAL_STORAGE_SHARED",
    default: "false",
    doc: "With json_file: true where every replica has the same file, such as on a shared volume. Otherwise there may be one process.",
  },
  {
    name: "MASTER_ENCRYPTION_KEY",
    secret: true,
    doc: "What passwords of saved connections and secrets of second factors are protected with: 32 random bytes in base64, or several, one a line, of which the first protects.",
  },
];
