/**
 * The processes of other roles, as far as settings name them: a gateway hands requests on to them (front.ts), and the role web asks
 * for files that it does not reach (media/lent/).
 */
import type { Logger } from "../logger.ts";
import type { RoleName } from "../roles.ts";
import type { Seams } from "../seams.ts";
import { type Agents, openAgents } from "./attempt.ts";
import { openTargets, type Targets } from "./targets.ts";

export interface Upstreams {
  /** The connections to all of them. */
  agents: Agents;
  /** The processes of the role; undefined where nobody is named for it, or this process has it itself. */
  of(role: RoleName): Targets | undefined;
  close(): void;
}

export interface UpstreamsOptions {
  /** Of this process. */
  roles: readonly RoleName[];
  /** Where the others are. */
  urls: Partial<Record<RoleName, readonly string[]>>;
  seams: Seams;
  logger: Logger;
}

/** Finds their addresses, and goes on looking after them. */
export async function openUpstreams({ roles, urls: named, seams, logger }: UpstreamsOptions): Promise<Upstreams> {
  const known = new Map<RoleName, Targets>();
  for (const [role, urls] of Object.entries(named) as [RoleName, readonly string[]][])
    if (!roles.includes(role)) known.set(role, await openTargets({ urls, seams, logger }));
  const agents = openAgents();
  return {
    agents,
    of: (role) => known.get(role),
    close() {
      for (const targets of known.values()) targets.close();
      agents.plain.destroy();
      agents.secure.destroy();
    },
  };
}
