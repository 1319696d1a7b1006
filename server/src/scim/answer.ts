/**
 * What a directory is answered: JSON of the type application/scim+json, and for what it may not an error object of SCIM, never one of
 * Matrix. RFC 7644, sections 3.12 and 8.1.
 */
import type { Context } from "../context.ts";
import { asError, type Errcode, MatrixError, matrixError } from "../errors.ts";
import { Answer, type Request, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { refuseWriting } from "../system/maintenance.ts";
import { readBody as readText } from "../auth/oauth/forms.ts";
import { refuseUnstorable } from "../console/storable.ts";
import { noteError } from "./errors-log.ts";
import { type ScimToken, useToken } from "./tokens.ts";

export const SCIM = "/scim/v2";
const TYPE = { "content-type": "application/scim+json", "cache-control": "no-store" };
const ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";

type ScimType = "invalidFilter" | "invalidSyntax" | "invalidPath" | "invalidValue" | "mutability" | "uniqueness";

const ERRCODES: Readonly<Record<number, Errcode>> = {
  403: "M_FORBIDDEN",
  404: "M_NOT_FOUND",
  409: "M_USER_IN_USE",
};

/** What is refused: `throw refused(409, "uniqueness", "…")`. The sentence is read by whoever runs the directory. */
export function refused(status: number, scimType: ScimType | undefined, detail: string): MatrixError {
  return matrixError(ERRCODES[status] ?? "M_INVALID_PARAM", detail, { status, fields: { scimType } });
}

/** What errors of other domains are called here; everything else goes by its status alone. */
const KNOWN: Partial<Record<Errcode, readonly [status: number, scimType: ScimType]>> = {
  M_NOT_JSON: [400, "invalidSyntax"],
  M_BAD_JSON: [400, "invalidValue"],
  M_INVALID_USERNAME: [400, "invalidValue"],
  M_EXCLUSIVE: [400, "invalidValue"],
  M_RESOURCE_LIMIT_EXCEEDED: [400, "invalidValue"],
  M_PROFILE_TOO_LARGE: [400, "invalidValue"],
  M_THREEPID_IN_USE: [409, "uniqueness"],
};

export function answer(body: object, { status = 200, location }: { status?: number; location?: string } = {}): Answer {
  const headers = { ...TYPE, ...(location === undefined ? {} : { location }) };
  return new Answer({ status, headers, payload: JSON.stringify(body) });
}

export function noContent(): Answer {
  return new Answer({ status: 204, headers: { "cache-control": "no-store" }, payload: "" });
}

function answerRefused(failure: MatrixError): Answer {
  const [status, scimType] = KNOWN[failure.errcode] ?? [failure.status, failure.fields["scimType"]];
  const body = { schemas: [ERROR], status: String(status), scimType, detail: failure.message };
  const retry = failure.retryAfter_ms && { "retry-after": String(Math.ceil(failure.retryAfter_ms / 1_000)) };
  const challenge = status === 401 && { "www-authenticate": 'Bearer realm="SCIM"' };
  return new Answer({ status, headers: { ...TYPE, ...retry, ...challenge }, payload: JSON.stringify(body) });
}

export interface Asked {
  token: ScimToken;
  params: Record<string, string>;
  query: Record<string, string>;
  address: string;
  /** The body as JSON. Throws M_NOT_JSON, M_BAD_JSON and M_TOO_LARGE. */
  body(): Promise<unknown>;
}

interface ScimRoute {
  method: Route["method"];
  /** Behind /scim/v2. */
  path: string;
  /** Whether it changes nothing, and is asked with a method that could. */
  isRefusal?: boolean;
  handle(asked: Asked, ctx: Context): Promise<Answer> | Answer;
}

/** A route for whoever has the token of a directory. */
export function scimRoute({ method, path, isRefusal = false, handle }: ScimRoute): Route {
  const isWrite = !isRefusal && method !== "GET";
  return route({
    method,
    path: SCIM + path,
    access: "anyone",
    ...(method === "GET" || method === "DELETE" ? {} : { body: "stream" }),
    async handle(request: Request<unknown, Record<string, string>, undefined>, ctx: Context) {
      let token: ScimToken | undefined;
      try {
        await ctx.rates.admit("other", request.address);
        token = await useToken(ctx, request);
        await ctx.rates.admit("scim", token.token_id);
        if (isWrite) refuseWriting(ctx);
        const { params, address } = request;
        const query = eachOnce(request.query);
        return await handle({ token, params, query, address, body: () => readBody(request.body) }, ctx);
      } catch (thrown) {
        const failed = thrown instanceof MatrixError ? answerRefused(thrown) : undefined;
        if (token) await keep(ctx, { token, method, path: request.path, failed, thrown });
        if (!failed) throw thrown;
        return failed;
      }
    },
  });
}

/** What the framework gives as a list was said more than once. */
function eachOnce(query: Record<string, unknown>): Record<string, string> {
  const twice = Object.keys(query).find((name) => typeof query[name] !== "string");
  if (twice !== undefined) throw refused(400, "invalidValue", `"${twice.slice(0, 80)}" is there more than once.`);
  return query as Record<string, string>;
}

async function readBody(body: unknown): Promise<unknown> {
  const text = await readText(body, limits.scimBody_bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw matrixError("M_NOT_JSON", `The body is not JSON: ${asError(thrown).message}`);
  }
  refuseUnstorable(json, "body");
  return json;
}

interface Failed {
  token: ScimToken;
  method: string;
  path: string;
  /** Undefined for a failure of ours, of which the log has more. */
  failed: Answer | undefined;
  thrown: unknown;
}

/** For operators to read. To ask for somebody who is not there is no mistake. */
async function keep(ctx: Context, { token, method, path, failed, thrown }: Failed): Promise<void> {
  const status = failed?.status ?? 500;
  if (method === "GET" && status === 404) return;
  const detail = failed ? asError(thrown).message : "Something went wrong here. The server's log has more.";
  await noteError(ctx, { token_name: token.name, method, path: path.slice(SCIM.length), status, detail });
}
