/** What the streams of a process share. */
import type { Context } from "../context.ts";
import { openSyncParts } from "../sync/parts.ts";
import type { SyncParts } from "../sync/run.ts";
import { type Admission, openAdmission } from "./admission.ts";
import type { Closing } from "./closing.ts";
import type { KeptTogether } from "./outlet.ts";
import { openPump, type Pump } from "./pump.ts";
import { createRegistry, type Registry } from "./registry.ts";

export interface Gateway {
  ctx: Context;
  parts: SyncParts;
  registry: Registry;
  pump: Pump;
  admission: Admission;
  together: KeptTogether;
  /** What closes the connections that have not signed in yet. */
  arriving: Set<(why: Closing) => void>;
}

/** Opens the gateway; nobody is connected yet. */
export function openGateway(ctx: Context): Gateway {
  const parts = openSyncParts(ctx);
  const registry = createRegistry();
  const pump = openPump({ ctx, parts, registry });
  const [admission, together] = [openAdmission(ctx.seams), { bytes: 0 }];
  return { ctx, parts, registry, pump, admission, together, arriving: new Set() };
}
