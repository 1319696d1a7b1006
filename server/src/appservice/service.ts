/**
 * An application service in memory: its registration and what its namespaces cover. Patterns are run by RE2, whose time grows with
 * the length of a name and never faster, so no registration can hold the server up. As other servers do it, a pattern must match
 * from the beginning of a name, and need not reach its end.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { serverNameOf } from "../rooms/rules/identifiers.ts";
import type { Namespace, Registration } from "./registration.ts";

export type Covered = "no" | "shared" | "exclusive";

export interface Service extends Registration {
  /** The user that `sender_localpart` names. */
  sender: string;
  /** Whether a user of this server is one of its own: in a namespace, or its sender. */
  user(userId: string): Covered;
  alias(alias: string): Covered;
  room(roomId: string): Covered;
}

/** Makes a service of its registration. Throws StartError for a pattern that RE2 does not take. */
export async function openService(registration: Registration, serverName: string): Promise<Service> {
  const sender = `@${registration.senderLocalpart}:${serverName}`;
  const [users, aliases, rooms] = await Promise.all(
    (["users", "aliases", "rooms"] as const).map((list) => matcher(registration, list)),
  );
  const local = (look: ((name: string) => Covered) | undefined) => (name: string) =>
    serverNameOf(name) === serverName ? (look as (name: string) => Covered)(name) : "no";
  const user = local(users);
  return {
    ...registration,
    sender,
    user: (userId) => (userId === sender ? "exclusive" : user(userId)),
    alias: local(aliases),
    room: rooms as (name: string) => Covered,
  };
}

async function matcher(registration: Registration, list: "users" | "aliases" | "rooms") {
  const namespaces = registration[list];
  if (namespaces.length === 0) return (): Covered => "no";
  const { RE2JS } = await import("re2js");
  const patterns = namespaces.map((each) => ({ ...each, compiled: compile(RE2JS.compile.bind(RE2JS), each) }));
  const known = new LRUCache<string, { covered: Covered }>(atMost(limits.serviceMatches));
  return (name: string): Covered => {
    const before = known.get(name);
    if (before) return before.covered;
    const hits = patterns.filter(({ compiled }) => compiled.matcher(name).lookingAt());
    const covered = hits.some(({ exclusive }) => exclusive) ? "exclusive" : hits.length > 0 ? "shared" : "no";
    known.set(name, { covered });
    return covered;
  };

  function compile<T>(make: (regex: string) => T, { regex }: Namespace): T {
    try {
      return make(regex);
    } catch (thrown) {
      throw new StartError(
        `The application service "${registration.id}" has a pattern in namespaces.${list} that can not be used: ${asError(thrown).message}. Write it without look-ahead, look-behind and back-references.`,
      );
    }
  }
}
