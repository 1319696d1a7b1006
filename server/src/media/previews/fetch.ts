/**
 * Fetches what somebody linked to. Every step of a redirect is a request of its own that the guard looks at anew, and all of them
 * together have one deadline.
 */
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { GuardOptions } from "../../outward/guard.ts";
import { sendOutward } from "../../outward/request.ts";
import type { Seams } from "../../seams.ts";

export interface Fetching {
  seams: Seams;
  guard: GuardOptions;
  /** By the monotonic clock. */
  deadline_ms: number;
}

export interface Fetched {
  /** Where it was found in the end. */
  url: string;
  /** In lower case, without its parameters. */
  type: string;
  charset: string | undefined;
  body: Buffer;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Throws M_FORBIDDEN or M_INVALID_PARAM where the guard refuses a step, and Error where nothing whole comes. */
export async function fetchLinked(from: string, accept: string, fetching: Fetching): Promise<Fetched> {
  let url = from;
  for (let step = 0; step <= limits.previewRedirects; step++) {
    const { status, headers, body } = await ask(url, accept, fetching);
    const { location } = headers;
    if (REDIRECTS.has(status) && location !== undefined) {
      // Headers are read as Latin-1, and who writes other letters into one means UTF-8.
      const next = URL.parse(Buffer.from(location, "latin1").toString(), url);
      if (!next) throw new Error("a redirect leads nowhere");
      url = next.href;
      continue;
    }
    if (status !== 200) throw new Error(`the answer has the status ${status}`);
    if ((headers["content-encoding"] ?? "identity") !== "identity") throw new Error("the answer is packed");
    const [type = "", ...parameters] = (headers["content-type"] ?? "").split(";").map((each) => each.trim());
    const charset = parameters.map((each) => /^charset="?([^"]+)"?$/i.exec(each)?.[1]).find(Boolean);
    return { url, type: type.toLowerCase(), charset, body };
  }
  throw new Error("there are too many redirects");
}

function ask(url: string, accept: string, { seams, guard, deadline_ms }: Fetching) {
  if (url.length > limits.previewUrl_characters) throw matrixError("M_INVALID_PARAM", "The address is too long.");
  const left_ms = deadline_ms - seams.monotonic_ms();
  if (left_ms <= 0) throw new Error("it takes too long");
  const headers = { "user-agent": "Parley (link previews)", accept, "accept-encoding": "identity" };
  const outgoing = {
    method: "GET",
    url,
    headers,
    timeout_ms: left_ms,
    answer_bytes: limits.previewAnswer_bytes,
  } as const;
  return sendOutward(seams, outgoing, guard);
}
