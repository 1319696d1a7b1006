/** The id of a request, under which the logs of every process that it passes have it. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { Context } from "./context.ts";
import { randomToken } from "./seams.ts";

/** As long as those that are made here; what a proxy sends goes into logs and headers, so it is looked at. */
const ID = /^[\w-]{8,64}$/;

/** Takes over the id that a trusted proxy gave, and makes one for every other request. */
export function requestIds({ config, seams }: Context): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const each of config.trustedProxies) {
    const [address = "", bits] = each.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  return ({ headers, socket }) => {
    const given = headers["x-request-id"];
    const peer = socket.remoteAddress ?? "";
    const isTrusted =
      given !== undefined && isIP(peer) !== 0 && trusted.check(peer, isIP(peer) === 6 ? "ipv6" : "ipv4");
    return isTrusted && ID.test(String(given)) ? String(given) : randomToken(seams, 9);
  };
}
