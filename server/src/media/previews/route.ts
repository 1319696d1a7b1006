/** `GET /media/preview_url`. Specification: client-server-api, "Content repository". */
import { z } from "zod";
import type { Context } from "../../context.ts";
import { asError, MatrixError, matrixError } from "../../errors.ts";
import { route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { findPreview, putPreview } from "./cache.ts";
import { makePreview, type Preview } from "./make.ts";

export const previewUrl = route({
  method: "GET",
  path: "/_matrix/client/v1/media/preview_url",
  alsoAt: ["/_matrix/media/v3/preview_url", "/_matrix/media/r0/preview_url"],
  access: "session",
  rate: "preview",
  // `ts`, the time of which a preview is wanted, may be passed over: a newer one is allowed.
  query: z.looseObject({ url: z.string().max(limits.previewUrl_characters) }),
  async handle({ query }, ctx) {
    if (!ctx.config.previews.isOn)
      throw matrixError("M_UNRECOGNIZED", "This server makes no previews: PARLEY_PREVIEWS is off.");
    const url = readUrl(query.url);
    const known = await findPreview(ctx, url);
    const said = known === undefined ? await makeOnce(ctx, url) : known;
    if (said === null) throw unreachable();
    return said;
  },
});

/** Without what no server is told: the fragment. */
function readUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    throw matrixError("M_INVALID_PARAM", '"url" is no http or https address without a user name.');
  url.hash = "";
  return url.href;
}

function unreachable(): MatrixError {
  return matrixError("M_UNKNOWN", "There is no preview: nothing could be fetched from there.", { status: 502 });
}

/** A link in a large room is asked for by everybody who sees it: it is fetched once. */
const makingOf = new WeakMap<Context, Map<string, Promise<Preview["said"]>>>();

function makeOnce(ctx: Context, url: string): Promise<Preview["said"]> {
  const making = makingOf.get(ctx) ?? new Map<string, Promise<Preview["said"]>>();
  makingOf.set(ctx, making);
  const running = making.get(url);
  if (running) return running;
  if (making.size >= limits.previewsInWork)
    throw matrixError("M_LIMIT_EXCEEDED", "Too many previews are being made. Try again in a few seconds.", {
      retryAfter_ms: 5_000,
    });
  const made = make(ctx, url).finally(() => making.delete(url));
  making.set(url, made);
  return made;
}

/**
 * What went wrong is the operator's to know, in the log without the address, which is part of somebody's message. Whoever asks learns
 * the same of every place that is inside this network, whether there is something or not.
 */
async function make(ctx: Context, url: string): Promise<Preview["said"]> {
  try {
    const preview = await makePreview(ctx, url);
    await putPreview(ctx, url, preview);
    return preview.said;
  } catch (thrown) {
    if (thrown instanceof MatrixError && thrown.errcode === "IO_PARLEY_UNAVAILABLE") throw thrown;
    ctx.logger.debug({ kind: asError(thrown).name }, "a preview could not be made");
    await putPreview(ctx, url, undefined);
    throw unreachable();
  }
}
