/** Where notifications are sent to. See push/config.ts. */
import type { Setting } from "./setting.ts";

export const pushSettings: readonly Setting[] = [
  {
    name: "PARLEY_PUSH_HOSTS",
    default: "",
    doc: "Push gateways and push services inside your network, with commas, such as ntfy.example.org or 10.1.0.0/16. Those on the public internet need no naming.",
  },
  {
    name: "PARLEY_VAPID_PRIVATE_KEY",
    secret: true,
    doc: "The P-256 private key by which push services know this server, 32 bytes in base64url. By default one is made and kept in the database.",
  },
];
