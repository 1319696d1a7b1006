/** What the server tells of others: through whom calls go, and whom people ask. See auth/turn.ts and auth/support.ts. */
import type { Setting } from "./setting.ts";

export const contactSettings: readonly Setting[] = [
  {
    name: "PARLEY_TURN_URIS",
    default: "",
    doc: "TURN servers for calls, such as turn:turn.example.org:3478?transport=udp, with commas between. By default none.",
  },
  {
    name: "PARLEY_TURN_SECRET",
    secret: true,
    doc: "The secret that they share with Parley (coturn: static-auth-secret).",
  },
  { name: "PARLEY_TURN_TTL_S", default: "86400", doc: "How long a password for them is good, in seconds." },
  {
    name: "PARLEY_SUPPORT_CONTACTS",
    default: "",
    doc: "Whom people ask who can not sign in: e-mail addresses or user ids, with commas between; security= before those for security.",
  },
  { name: "PARLEY_SUPPORT_PAGE", doc: "The address of a page that helps people with this server." },
];
