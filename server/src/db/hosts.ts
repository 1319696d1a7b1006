/**
 * Which PostgreSQL server a new connection goes to. As with libpq, an address may name several:
 * `postgres://parley@db1:5432,db2:5432/parley?target_session_attrs=read-write`. Connections go to the one that last took changes;
 * when it is away or only reads, the next is tried.
 *
 * `file:///run/secrets/database-url` and `secret://name` stand for what is in the file, or what the provider of secrets said last,
 * which is read again for each connection: a password can be changed while the server runs. It may have several lines; while a password is being changed it has the old one and the new
 * one, and the one that is let in is used. See cli/rotate-database.ts.
 */
import { asError, StartError } from "../errors.ts";
import { isInFile, isReference, valueOf } from "../secrets/address.ts";

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

/**
 * Reads the address, or the file or secret with it. Throws StartError where it asks for a kind of server that a store of changes
 * can not be, and where the file can not be used.
 */
export function readHosts(address: string): Hosts {
  return isInFile(address) || isReference(address) ? hostsElsewhere(address) : hostsOf([address]);
}

/** As the file or secret says at each moment. While it can not be read it says what it said last. */
function hostsElsewhere(address: string): Hosts {
  let known = readAddresses(address);
  let hosts = hostsOf(known);
  const latest = () => {
    let now = known;
    try {
      now = readAddresses(address);
    } catch {
      // It is being replaced, or was emptied by mistake.
    }
    if (now.join("\n") !== known.join("\n")) hosts = hostsOf((known = now));
    return hosts;
  };
  return {
    get urls() {
      return latest().urls;
    },
    get needsWritable() {
      return latest().needsWritable;
    },
    current: () => latest().current(),
    skip: (url) => hosts.skip(url),
  };
}

/** The addresses that an address stands for: itself, or those of its file or secret, which are two while a password is changed. */
export function addressesOf(address: string): string[] {
  return isInFile(address) || isReference(address) ? readAddresses(address) : [address];
}

/** The same servers and user, and another database. */
export function inDatabase(address: string, name: string): string {
  const [, before = "", hosts = "", rest = ""] = ADDRESS.exec(address) ?? [];
  const at = rest.indexOf("?");
  return `${before}${hosts}/${encodeURIComponent(name)}${at < 0 ? "" : rest.slice(at)}`;
}

/** The user that the address names, or the file with it; undefined where it leaves that to the driver. */
export function userIn(address: string): string | undefined {
  const [, before = ""] = ADDRESS.exec(readHosts(address).urls[0] ?? "") ?? [];
  const user = /^[^:]+:\/\/([^:@]+)/.exec(before)?.[1];
  return user === undefined ? undefined : decodeURIComponent(user);
}

/** The addresses in a file or secret, one a line. Throws StartError where there is none. */
export function readAddresses(address: string): string[] {
  try {
    const lines = valueOf(address).split("\n");
    const found = lines.map((line) => line.trim()).filter((line) => line !== "");
    if (found.length > 0 && found.every((line) => /^postgres(ql)?:\/\//.test(line))) return found;
  } catch (thrown) {
    throw new StartError(`DATABASE_URL names what can not be read: ${asError(thrown).message}`, { cause: thrown });
  }
  throw new StartError("What DATABASE_URL names has a line that does not start with postgres://, or none at all.");
}

function hostsOf(addresses: readonly string[]): Hosts {
  const all = addresses.map(serversOf);
  const urls = all.flatMap((each) => each.urls);
  let at = 0;
  return {
    urls,
    needsWritable: all.some((each) => each.needsWritable),
    current: () => urls[at] as string,
    skip(url) {
      if (urls[at] === url) at = (at + 1) % urls.length;
    },
  };
}

function serversOf(address: string): Pick<Hosts, "urls" | "needsWritable"> {
  const [, before = "", list = "", rest = ""] = ADDRESS.exec(address) ?? [];
  const servers = list.split(",");
  const wanted = ATTRIBUTES.exec(rest)?.[1] ?? (servers.length > 1 ? "read-write" : "any");
  if (!["any", "read-write", "primary"].includes(wanted))
    throw new StartError(
      `DATABASE_URL asks for target_session_attrs=${wanted}: set it to read-write, primary or any, or leave it out.`,
    );
  const tail = withoutAttributes(rest);
  const urls = before === "" ? [address] : servers.map((server) => `${before}${server}${tail}`);
  return { urls, needsWritable: wanted !== "any" };
}

/** The driver does not know the attribute. */
function withoutAttributes(rest: string): string {
  const [path = "", query] = rest.split("?");
  const kept = query?.split("&").filter((each) => !each.startsWith("target_session_attrs="));
  return kept?.length ? `${path}?${kept.join("&")}` : path;
}
