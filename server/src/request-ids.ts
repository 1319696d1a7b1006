/** The id of a request, under which the logs of every process that it passes have it. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import { randomToken } from "./seams.ts";

/** As long as those that are made here; what a proxy sends goes into logs and headers, so it is looked at. */
const ID = /^[\w-]{8,64}$/;

/** Whether a request comes from a proxy whose word is believed. */
export function fromTrustedProxy({ trustedProxies }: Config): (request: IncomingMessage) => boolean {
  const trusted = new BlockList();
  for (const each of trustedProxies) {
    const [address = "", bits] = each.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  return ({ socket }) => {
    const peer = socket.remoteAddress ?? "";
    return isIP(peer) !== 0 && trusted.check(peer, isIP(peer) === 6 ? "ipv6" : "ipv4");
  };
}

/** Takes over the id that a trusted proxy gave, and makes one for every other request. */
export function requestIds({ config, seams }: Context): (request: IncomingMessage) => string {
  const isTrusted = fromTrustedProxy(config);
  return (request) => {
    const given = request.headers["x-request-id"];
    const isTaken = given !== undefined && isTrusted(request) && ID.test(String(given));
    return isTaken ? String(given) : randomToken(seams, 9);
  };
}
