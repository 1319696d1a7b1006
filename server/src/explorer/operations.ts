/** The explorer for operators: saved connections. What is done with them is in operations-graphs.ts. */
import { z } from "zod";
import { operation, type Operation, pageOf } from "../console/operation.ts";
import {
  addConnection,
  audited,
  changeConnection,
  fields,
  own,
  passwordField,
  removeConnection,
  show,
  shown,
} from "./connections.ts";
import { tryOut } from "./look.ts";
import { matrixError } from "../errors.ts";
import { explorerOf, OWN, savedOf, serverFor, wayTo } from "./open.ts";
import { graphOperations } from "./operations-graphs.ts";
import { connectForeign } from "../db/foreign.ts";

const list = operation({
  id: "explorer.connections.list",
  method: "GET",
  path: "/explorer/connections",
  summary: "Lists your saved connections to databases with graphs",
  description: "Everybody has connections of their own, and that of the access graph. Passwords are never told.",
  role: "operator",
  answer: pageOf(shown),
  command: { name: "explorer connection list", columns: ["id", "name", "host", "port", "database", "user", "tls"] },
  async handle({ actor }, ctx) {
    const saved = await explorerOf(ctx).store.list(actor.userId);
    return { items: [own, ...saved.map(show)], total: saved.length + 1 };
  },
});

const add = operation({
  id: "explorer.connections.add",
  method: "POST",
  path: "/explorer/connections",
  summary: "Saves a connection to another database",
  description: "Its host must be allowed by PARLEY_EXPLORER_HOSTS. The password is kept encrypted, and told to nobody.",
  role: "operator",
  body: z.object({ ...fields, password: passwordField }),
  answer: shown,
  target: ({ body: { name } }) => name,
  command: { name: "explorer connection add", arguments: ["name"], secrets: ["password"] },
  async handle({ actor, body, audit }, ctx) {
    const saved = await addConnection(ctx, actor.userId, body);
    audit({ target: saved.id, after: audited(saved) });
    return show(saved);
  },
});

const change = operation({
  id: "explorer.connections.change",
  method: "PUT",
  path: "/explorer/connections/:connectionId",
  summary: "Changes a saved connection",
  description: "Where host, port, database, user or TLS change, the password is given again.",
  role: "operator",
  body: z.object({ ...fields, password: passwordField.optional() }),
  answer: shown,
  command: { name: "explorer connection change", arguments: ["connectionId"], secrets: ["password"] },
  async handle({ actor, params: { connectionId }, body, audit }, ctx) {
    refuseOwn(connectionId);
    const before = await savedOf(ctx, actor.userId, connectionId);
    const after = await changeConnection(ctx, before, body);
    audit({ before: audited(before), after: audited(after) });
    return show(after);
  },
});

const remove = operation({
  id: "explorer.connections.remove",
  method: "DELETE",
  path: "/explorer/connections/:connectionId",
  summary: "Forgets a saved connection, and its password",
  role: "operator",
  answer: z.object({ id: z.string() }),
  command: { name: "explorer connection remove", arguments: ["connectionId"] },
  async handle({ actor, params: { connectionId }, audit }, ctx) {
    refuseOwn(connectionId);
    const removed = await removeConnection(ctx, actor.userId, connectionId);
    audit({ before: audited(removed) });
    return { id: removed.id };
  },
});

const trial = z.object({
  ok: z.boolean(),
  error: z.string().optional().meta({ description: "What is wrong, and what to do." }),
  reason: z.string().optional(),
  server_version: z.string().optional(),
  age_version: z.string().optional(),
  graphs: z.int().optional(),
});

const test = operation({
  id: "explorer.connections.test",
  method: "POST",
  path: "/explorer/connections/:connectionId/test",
  summary: "Connects, and says what is there or what is wrong",
  role: "operator",
  isWrite: false,
  answer: trial,
  command: { name: "explorer connection test", arguments: ["connectionId"] },
  handle: async ({ actor, params: { connectionId } }, ctx) => tryOut(await wayTo(ctx, actor.userId, connectionId)),
});

const testNew = operation({
  id: "explorer.connections.try",
  method: "POST",
  path: "/explorer/try",
  summary: "Tries a connection that is not saved yet",
  role: "operator",
  // It opens a connection to a place that the operator names: the audit log tells to which.
  isWrite: false,
  isAudited: true,
  body: z.object({ ...fields, password: passwordField }),
  answer: trial,
  target: ({ body: { host, port } }) => `${host}:${port}`,
  command: { name: "explorer connection try", arguments: ["name"], secrets: ["password"] },
  async handle({ actor, body: { password, ca, ...given } }, ctx) {
    const identity = { ...given, ca: ca ?? null, owner: actor.userId, id: "" };
    const describe = () => serverFor(ctx, identity, () => password);
    const take = async () => {
      const connection = await connectForeign(await describe(), ctx.seams);
      return { connection, release: () => void connection.end() };
    };
    return tryOut({ take, describe, seams: ctx.seams });
  },
});

function refuseOwn(id: string): void {
  if (id === OWN)
    throw matrixError("M_FORBIDDEN", "The connection of the access graph is Parley's own: it stays as it is.");
}

export const explorerOperations: readonly Operation[] = [list, add, change, remove, test, testNew, ...graphOperations];
