/** What all connections of sliding sync share in one process. */
import type { Context } from "../../context.ts";
import type { Followed } from "../../log/follow.ts";
import { type Connections, openConnections } from "./connections.ts";
import { type Frames, openFrames } from "./frames.ts";
import { openOutlines, type Outlines } from "./outlines.ts";
import { type Belongings, openBelongings } from "./person.ts";
import { openToldMembers, type ToldMembers } from "./told-members.ts";

export interface SlidingParts {
  connections: Connections;
  frames: Frames;
  outlines: Outlines;
  belongings: Followed<Belongings>;
  members: ToldMembers;
}

const partsOf = new WeakMap<Context, SlidingParts>();

/** Opens them at the start; gives what ends their work. */
export function openSlidingParts(ctx: Context): () => Promise<void> {
  const connections = openConnections(ctx);
  const parts = {
    connections,
    frames: openFrames(),
    outlines: openOutlines(ctx),
    belongings: openBelongings(ctx),
    members: openToldMembers(),
  };
  partsOf.set(ctx, parts);
  return connections.close;
}

/** The parts that were opened at the start. */
export function slidingPartsOf(ctx: Context): SlidingParts {
  const parts = partsOf.get(ctx);
  if (!parts) throw new Error("sliding sync was not started");
  return parts;
}
