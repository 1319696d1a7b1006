/**
 * The processes behind one upstream setting: every address of every name in it, taken in turn. An address that can not be
 * reached, is stopping or does not answer is left out until it says that it is ready again; when none is left, each is tried
 * all the same.
 */
import { lookup } from "node:dns/promises";
import { type ClientRequest, request } from "node:http";
import { request as requestSecurely, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";

/** One process that may be asked. */
export interface Target {
  /** Such as http://10.0.0.7:8008. */
  readonly name: string;
  /** The name, or the address, that the setting has. */
  readonly host: string;
  readonly request: typeof requestSecurely;
  /** What a request to it begins with; a certificate is checked for the name that the setting has. */
  readonly at: RequestOptions;
  isOut: boolean;
  /** Requests that may be asked again elsewhere, to be broken off when it does not answer any more. */
  readonly repeatable: Set<ClientRequest>;
}

export interface Targets {
  /** The next one in turn that was not tried, or any where all were. Undefined where no name has an address. */
  next(tried: ReadonlySet<Target>): Target | undefined;
  /** Leaves it out until the next look finds it ready. */
  leaveOut(target: Target): void;
  close(): void;
}

export interface TargetsOptions {
  urls: readonly string[];
  seams: Seams;
  logger: Logger;
}

/** Finds the addresses, and goes on looking after them. */
export async function openTargets({ urls, seams, logger }: TargetsOptions): Promise<Targets> {
  let targets: readonly Target[] = [];
  let turn = 0;
  const resolve = async () => {
    targets = await findTargets(urls, { known: targets, logger });
  };
  await resolve();
  const resolving = seams.every(limits.upstreamResolve_ms, () => void resolve());
  const checking = seams.every(limits.upstreamCheck_ms, () => {
    for (const target of targets) void check(target, seams, logger);
  });
  return {
    next(tried) {
      const fresh = targets.filter((target) => !tried.has(target));
      const ready = fresh.filter((target) => !target.isOut);
      const choice = [ready, fresh, targets].find((some) => some.length > 0);
      return choice?.[turn++ % choice.length];
    },
    leaveOut(target) {
      target.isOut = true;
    },
    close() {
      resolving.cancel();
      checking.cancel();
    },
  };
}

/** Every address of every name. A name that can not be found now keeps the addresses that it had. */
async function findTargets(
  urls: readonly string[],
  { known, logger }: { known: readonly Target[]; logger: Logger },
): Promise<Target[]> {
  const found = await Promise.all(
    urls.map(async (text) => {
      const url = new URL(text);
      const host = url.hostname.replace(/^\[|\]$/g, "");
      try {
        const addresses = isIP(host) ? [host] : (await lookup(host, { all: true })).map(({ address }) => address);
        return addresses.map((address) => known.find(({ name }) => name === nameOf(url, address)) ?? aim(url, address));
      } catch (thrown) {
        logger.warn({ host, reason: asError(thrown).message }, "the name of an upstream was not found");
        return known.filter((target) => target.host === host);
      }
    }),
  );
  return [...new Set(found.flat())];
}

function nameOf({ protocol, port }: URL, address: string): string {
  return `${protocol}//${isIP(address) === 6 ? `[${address}]` : address}:${port || (protocol === "https:" ? 443 : 80)}`;
}

function aim(url: URL, address: string): Target {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    name: nameOf(url, address),
    host,
    request: isSecure ? requestSecurely : request,
    at: { host: address, port: url.port || (isSecure ? 443 : 80), ...(isIP(host) ? {} : { servername: host }) },
    isOut: false,
    repeatable: new Set(),
  };
}

/** Asks whether it is ready. One that is silent is not waited for any longer by those who can ask elsewhere. */
function check(target: Target, seams: Seams, logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const done = (isReady: boolean) => {
      timer.cancel();
      if (target.isOut === isReady) logger.info({ upstream: target.name, isReady }, "an upstream has changed");
      target.isOut = !isReady;
      resolve();
    };
    const asking = target.request({ ...target.at, path: "/health/ready", agent: false });
    const timer = seams.after(limits.upstreamCheckWait_ms, () => {
      asking.destroy();
      for (const each of target.repeatable) each.destroy(new Error(`${target.name} does not answer`));
    });
    asking.once("response", (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    asking.once("error", () => done(false));
    asking.end();
  });
}
