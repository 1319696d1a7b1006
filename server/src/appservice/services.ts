/**
 * The application services of this server, known in every process: whose token a request carries, and who keeps a name to itself.
 * The files are looked at again and again, as other secrets are; where one became wrong, what was read before stays.
 */
import { tokenKey } from "../auth/tokens.ts";
import type { Config } from "../config.ts";
import { matrixError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { startRounds } from "../rounds.ts";
import type { Seams } from "../seams.ts";
import { fingerprintOf, readRegistrations } from "./files.ts";
import { openService, type Service } from "./service.ts";

export interface Services {
  all(): readonly Service[];
  byId(id: string): Service | undefined;
  /** Whose `as_token` this is. */
  ofToken(token: string): Service | undefined;
  /** Throws M_EXCLUSIVE where another service than `own` keeps the user id to itself. */
  requireFreeUser(userId: string, own?: Pick<Service, "id">): void;
  /** As `requireFreeUser`, for an alias. */
  requireFreeAlias(alias: string, own?: Pick<Service, "id">): void;
  close(): Promise<void>;
}

type Settings = Pick<Config, "appservices" | "serverName" | "secrets">;

interface Known {
  services: readonly Service[];
  byToken: ReadonlyMap<string, Service>;
}

/** Reads the files. Throws StartError where one is wrong. */
export async function openServices(
  config: Settings,
  { seams, logger }: { seams: Seams; logger: Logger },
): Promise<Services> {
  const { appservices: paths, secrets } = config;
  let seen = fingerprintOf(paths);
  let known = await readAll(config);
  const look = async () => {
    const now = fingerprintOf(paths);
    if (now === seen) return;
    seen = now;
    known = await readAll(config);
    logger.info({ services: known.services.map(({ id }) => id) }, "the application services were read anew");
  };
  const failed = "the registration of application services is wrong; those that were read before stay";
  const end =
    paths.length === 0
      ? () => Promise.resolve()
      : startRounds({ seams, logger }, { wait_ms: () => secrets.refresh_ms, act: look, failed });
  const refuse = (covered: "user" | "alias", name: string, own?: Pick<Service, "id">) => {
    const owner = known.services.find((each) => each.id !== own?.id && each[covered](name) === "exclusive");
    if (owner) throw matrixError("M_EXCLUSIVE", `${name} is kept for an application service of this server.`);
  };
  return {
    all: () => known.services,
    byId: (id) => known.services.find((each) => each.id === id),
    // A look-up by a hash tells nothing about the token through its timing.
    ofToken: (token) => (known.services.length === 0 ? undefined : known.byToken.get(tokenKey(token))),
    requireFreeUser: (userId, own) => refuse("user", userId, own),
    requireFreeAlias: (alias, own) => refuse("alias", alias, own),
    close: end,
  };
}

async function readAll({ appservices: paths, serverName }: Settings): Promise<Known> {
  const registrations = await readRegistrations(paths);
  const services = await Promise.all(registrations.map((each) => openService(each, serverName)));
  return { services, byToken: new Map(services.map((each) => [tokenKey(each.asToken), each])) };
}
