/** What the streams of a process share. */
import type { Context } from "../context.ts";
import { openSyncParts } from "../sync/parts.ts";
import type { SyncParts } from "../sync/run.ts";
import { type Admission, openAdmission } from "./admission.ts";
import { openPump, type Pump } from "./pump.ts";
import { createRegistry, type Registry } from "./registry.ts";

export interface Gateway {
  ctx: Context;
  parts: SyncParts;
  registry: Registry;
  pump: Pump;
  admission: Admission;
}

/** Opens the gateway; nobody is connected yet. */
export function openGateway(ctx: Context): Gateway {
  const parts = openSyncParts(ctx);
  const registry = createRegistry();
  return { ctx, parts, registry, pump: openPump({ ctx, parts, registry }), admission: openAdmission(ctx.seams) };
}
