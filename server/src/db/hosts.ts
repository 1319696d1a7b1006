/**
 * Which PostgreSQL server a new connection goes to. As with libpq, an address may name several:
 * `postgres://parley@db1:5432,db2:5432/parley?target_session_attrs=read-write`. Connections go to the one that last took changes;
 * when it is away or only reads, the next is tried.
 */
import { StartError } from "../errors.ts";

export interface Hosts {
  /** One address for each server. */
  readonly urls: readonly string[];
  /** Whether a connection is of use only on a server that takes changes. */
  readonly needsWritable: boolean;
  /** Where the next connection goes. */
  current(): string;
  /** This address was of no use: the next connection goes to the one behind it, unless another caller has moved on already. */
  skip(url: string): void;
}

const ADDRESS = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]*)(.*)$/;
const ATTRIBUTES = /[?&]target_session_attrs=([^&]*)/;

/** Reads the address. Throws StartError where it asks for a kind of server that a store of changes can not be. */
export function readHosts(address: string): Hosts {
  const [, before = "", list = "", rest = ""] = ADDRESS.exec(address) ?? [];
  const servers = list.split(",");
  const wanted = ATTRIBUTES.exec(rest)?.[1] ?? (servers.length > 1 ? "read-write" : "any");
  if (!["any", "read-write", "primary"].includes(wanted))
    throw new StartError(
      `DATABASE_URL asks for target_session_attrs=${wanted}: set it to read-write, primary or any, or leave it out.`,
    );
  const tail = withoutAttributes(rest);
  const urls = before === "" ? [address] : servers.map((server) => `${before}${server}${tail}`);
  let at = 0;
  return {
    urls,
    needsWritable: wanted !== "any",
    current: () => urls[at] as string,
    skip(url) {
      if (urls[at] === url) at = (at + 1) % urls.length;
    },
  };
}

/** The driver does not know the attribute. */
function withoutAttributes(rest: string): string {
  const [path = "", query] = rest.split("?");
  const kept = query?.split("&").filter((each) => !each.startsWith("target_session_attrs="));
  return kept?.length ? `${path}?${kept.join("&")}` : path;
}
