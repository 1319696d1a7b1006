/** Saved connections, as operators see and change them. A password goes in and never comes out. */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { placeFor } from "../outward/guard.ts";
import { randomToken } from "../seams.ts";
import { type SavedConnection, tlsModes } from "./credentials/store.ts";
import { sealPassword } from "./envelope.ts";
import { explorerOf, OWN, savedOf } from "./open.ts";

/** PostgreSQL has no NUL, and a control character in a name is somebody's trick. */
const field = z
  .string()
  .min(1)
  .max(limits.explorerField_characters)
  // oxlint-disable-next-line eslint/no-control-regex
  .regex(/^[^\u0000-\u001f\u007f]*$/, "has control characters");

export const fields = {
  name: field.meta({ description: "What you call it." }),
  host: field.meta({
    description: "A DNS name or an address, and nothing else: no list, socket or connection string.",
  }),
  port: z.coerce.number().int().min(1).max(65_535).default(5432),
  database: field,
  user: field,
  tls: z.enum(tlsModes).default("verify-full"),
  ca: z
    .string()
    .max(limits.explorerCa_characters)
    .regex(/^\s*-----BEGIN CERTIFICATE-----/, "is no PEM certificate")
    .optional()
    .meta({ description: "Certificates (PEM) that the server's is checked against. By default those of the system." }),
};

export const passwordField = z.string().min(1).max(limits.explorerPassword_characters);

export const shown = z.object({
  id: z.string(),
  name: z.string(),
  host: z.string(),
  port: z.int(),
  database: z.string(),
  user: z.string(),
  tls: z.enum([...tlsModes, "own"]),
  ca: z.string().nullable(),
  created_ts: z.int().nullable(),
  is_own: z
    .boolean()
    .meta({ description: "The access graph in Parley's own database: only read, and there for everybody." }),
});

export type Given = z.output<z.ZodObject<typeof fields>>;

export function show({ id, name, host, port, database, user, tls, ca, created_ts }: SavedConnection) {
  return { id, name, host, port, database, user, tls, ca, created_ts, is_own: false };
}

export const own = {
  id: OWN,
  name: "Access graph of this server",
  host: "",
  port: 0,
  database: "",
  user: "parley_graph",
  tls: "own" as const,
  ca: null,
  created_ts: null,
  is_own: true,
};

/** Throws M_FORBIDDEN where the host is not allowed: it is told before anybody relies on it, and looked at again at each use. */
export async function addConnection(ctx: Context, owner: string, { password, ...given }: Given & { password: string }) {
  await refuseHost(ctx, given);
  const id = randomToken(ctx.seams, 12);
  const saved = await seal(
    ctx,
    { ...identityOf(given), owner, id, version: 1, created_ts: ctx.seams.now_ms() },
    password,
  );
  await explorerOf(ctx).store.add(saved);
  return saved;
}

/** A password that was saved for one place is not sent to another: whoever changes where it goes gives it again. */
export async function changeConnection(
  ctx: Context,
  before: SavedConnection,
  { password, ...given }: Given & { password?: string | undefined },
) {
  const identity = identityOf(given);
  const next = { ...before, ...identity, version: before.version + 1 };
  const isElsewhere = (["host", "port", "database", "user", "tls", "ca"] as const).some(
    (key) => before[key] !== next[key],
  );
  if (isElsewhere && password === undefined)
    throw matrixError(
      "M_MISSING_PARAM",
      "Give the password again: the connection goes elsewhere than it was saved for.",
    );
  if (isElsewhere) await refuseHost(ctx, given);
  const saved = password === undefined ? next : await seal(ctx, next, password);
  const { store, pools } = explorerOf(ctx);
  if (!(await store.replace(saved)))
    throw matrixError("M_BAD_STATE", "Somebody else has changed this connection: look at it again.", { status: 409 });
  pools.drop(before);
  return saved;
}

export async function removeConnection(ctx: Context, owner: string, id: string): Promise<SavedConnection> {
  const saved = await savedOf(ctx, owner, id);
  const { store, pools } = explorerOf(ctx);
  if (!(await store.remove(owner, id))) throw matrixError("M_NOT_FOUND", "You have no saved connection of this id.");
  pools.drop(saved);
  return saved;
}

async function refuseHost(ctx: Context, { host, port }: Pick<Given, "host" | "port">): Promise<void> {
  await placeFor({ host, port }, { allowed: ctx.config.explorer.hosts, setting: "PARLEY_EXPLORER_HOSTS" });
}

function identityOf({ ca, ...given }: Given) {
  return { ...given, ca: ca ?? null };
}

type Unsealed = Omit<SavedConnection, "wrappedKey" | "masterKey" | "sealed">;

async function seal(ctx: Context, connection: Unsealed, password: string): Promise<SavedConnection> {
  const masterKeys = await explorerOf(ctx).keys();
  return { ...connection, ...sealPassword(connection, password, { masterKeys, seams: ctx.seams }) };
}

/** What the audit log keeps of one: where it goes, and nothing that opens it. */
export function audited({ name, host, port, database, user, tls }: SavedConnection) {
  return { name, host, port, database, user, tls };
}
