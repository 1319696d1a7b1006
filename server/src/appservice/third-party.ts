/**
 * `/thirdparty/*`: networks that application services bridge, and what and who on them is what and who here. Each question goes to all
 * services that may know, and the answers are put together; one that is away or answers nonsense is as one that knows nothing.
 * Specification: client-server-api, "Third-party Lookup"; application-service-api, "Third-party networks".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { instanceId } from "../directory/networks.ts";
import { asError, matrixError } from "../errors.ts";
import { encoded, type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { askService } from "./client.ts";
import type { Service } from "./service.ts";

const fields = z.record(z.string(), z.unknown());
const texts = z.array(z.string());
const protocolShape = z.looseObject({
  user_fields: texts,
  location_fields: texts,
  icon: z.string(),
  field_types: z.record(z.string(), z.looseObject({ regexp: z.string(), placeholder: z.string() })),
  instances: z.array(z.looseObject({ desc: z.string(), icon: z.string().optional(), fields, network_id: z.string() })),
});
const locations = z.array(z.looseObject({ alias: z.string(), protocol: z.string(), fields }));
const users = z.array(z.looseObject({ userid: z.string(), protocol: z.string(), fields }));

type Protocol = z.output<typeof protocolShape>;

/** What a service answers; undefined where that is nothing of this shape. */
async function question<T>(
  ctx: Context,
  service: Service,
  asked: { path: string; query?: URLSearchParams; shape: z.ZodType<T> },
): Promise<T | undefined> {
  const { path, query = new URLSearchParams(), shape } = asked;
  try {
    const { status, text } = await askService(ctx, service, {
      method: "GET",
      path: `/thirdparty${path}`,
      query,
      timeout_ms: limits.serviceQuestion_ms,
      legacy: "/_matrix/app/unstable",
    });
    if (status < 200 || status >= 300) return undefined;
    return shape.parse(JSON.parse(text));
  } catch (thrown) {
    const reason = asError(thrown).message.slice(0, limits.serviceError_characters);
    ctx.logger.info({ service: service.id, reason }, "an application service gave no answer about its network");
    return undefined;
  }
}

function servicesOf(ctx: Context, protocol?: string): Service[] {
  return ctx.services
    .all()
    .filter(({ url, protocols }) => url !== undefined && (protocol === undefined || protocols.includes(protocol)));
}

/** The protocol as all services together know it: the first describes it, and each adds its instances. */
async function readProtocol(ctx: Context, name: string): Promise<Protocol | undefined> {
  const answers = await Promise.all(
    servicesOf(ctx, name).map(async (service) => {
      const path = `/protocol/${encodeURIComponent(name)}`;
      const protocol = await question(ctx, service, { path, shape: protocolShape });
      return protocol && { ...protocol, instances: named(service, protocol.instances) };
    }),
  );
  const known = answers.filter((each) => each !== undefined);
  return known[0] && { ...known[0], instances: known.flatMap(({ instances }) => instances) };
}

function named({ id }: Service, instances: Protocol["instances"]): Protocol["instances"] {
  return instances.map((each) => ({
    ...each,
    instance_id: instanceId({ serviceId: id, networkId: each.network_id }),
  }));
}

const getProtocols = route({
  method: "GET",
  path: "/_matrix/client/v3/thirdparty/protocols",
  alsoAt: ["/_matrix/client/unstable/thirdparty/protocols"],
  access: "session",
  rate: "search",
  async handle(_request, ctx) {
    const names = [...new Set(servicesOf(ctx).flatMap(({ protocols }) => protocols))];
    const read = await Promise.all(names.map(async (name) => [name, await readProtocol(ctx, name)] as const));
    return encoded(JSON.stringify(Object.fromEntries(read.filter(([, protocol]) => protocol !== undefined))));
  },
});

const getProtocol = route({
  method: "GET",
  path: "/_matrix/client/v3/thirdparty/protocol/:protocol",
  alsoAt: ["/_matrix/client/unstable/thirdparty/protocol/:protocol"],
  access: "session",
  rate: "search",
  async handle({ params }, ctx) {
    const protocol = await readProtocol(ctx, params["protocol"] as string);
    if (!protocol) throw matrixError("M_NOT_FOUND", "No application service of this server knows this protocol.");
    return protocol;
  },
});

type Lookup = Request<undefined, Record<string, string>>;

/** All that services know, each thing once. Throws M_NOT_FOUND where that is nothing. */
async function lookUp(
  ctx: Context,
  { query }: Pick<Lookup, "query">,
  asked: { path: string; protocol?: string; shape: z.ZodType<readonly object[]> },
) {
  const search = new URLSearchParams(query);
  search.delete("access_token");
  const services = servicesOf(ctx, asked.protocol);
  const answers = await Promise.all(services.map((each) => question(ctx, each, { ...asked, query: search })));
  const found = new Set(answers.flatMap((each) => (each ?? []).map((thing) => JSON.stringify(thing))));
  if (found.size === 0) throw matrixError("M_NOT_FOUND", "No application service of this server knows of any.");
  return encoded(`[${[...found].join(",")}]`);
}

function lookups(kind: "location" | "user", shape: z.ZodType<readonly object[]>): Route[] {
  const path = `/thirdparty/${kind}`;
  const shared = { method: "GET", access: "session", rate: "search" } as const;
  return [
    route({
      ...shared,
      path: `/_matrix/client/v3${path}`,
      alsoAt: [`/_matrix/client/unstable${path}`],
      handle: (request: Lookup, ctx) => lookUp(ctx, request, { path: `/${kind}`, shape }),
    }),
    route({
      ...shared,
      path: `/_matrix/client/v3${path}/:protocol`,
      alsoAt: [`/_matrix/client/unstable${path}/:protocol`],
      handle(request: Lookup, ctx) {
        const protocol = request.params["protocol"] as string;
        return lookUp(ctx, request, { path: `/${kind}/${encodeURIComponent(protocol)}`, protocol, shape });
      },
    }),
  ];
}

export const thirdPartyRoutes: readonly Route[] = [
  getProtocols,
  getProtocol,
  ...lookups("location", locations),
  ...lookups("user", users),
];
