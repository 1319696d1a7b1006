/**
 * Requests to the HTTP interfaces of clouds. What may pass (the service is busy or broken, the connection breaks, no answer comes)
 * is tried again, later and later, and when the service says so.
 */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { pause, type Seams } from "../seams.ts";

export interface Asking {
  method?: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH";
  url: string;
  /** Asked for anew for each try: a token may have run out, a signature has the time in it. */
  headers?(): Promise<Record<string, string>> | Record<string, string>;
  body?: Buffer | string;
  /** Statuses that are an answer and no failure, besides those from 200 to 299. */
  expected?: readonly number[];
  /** What the service is called in messages. */
  service: string;
}

/** The service said no, or nothing, in the end. The message has what it said, and no secret of ours. */
export class CloudError extends Error {
  /** undefined where there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, options: { status?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CloudError";
    this.status = options.status;
  }
}

const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
/** Of what a service says about a failure, so much is told. */
const TOLD_CHARACTERS = 300;

/** The answer, whose body the caller reads. Throws CloudError. */
export async function ask(seams: Seams, asking: Asking): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await once(seams, asking).catch(asError);
    if (!(answer instanceof Error) && (answer.ok || asking.expected?.includes(answer.status))) return answer;
    const passes = answer instanceof Error ? !(answer instanceof CloudError) : PASSING.has(answer.status);
    if (!passes || tries >= limits.cloudTries) throw await failureOf(asking, answer);
    const asked_ms = answer instanceof Error ? undefined : retryAfter_ms(answer);
    if (!(answer instanceof Error)) await answer.body?.cancel();
    await pause(seams, asked_ms ?? backOff_ms(seams, tries));
  }
}

/** As JSON, checked by the caller. Throws CloudError. */
export async function askJson<T>(seams: Seams, asking: Asking): Promise<T> {
  const answer = await ask(seams, asking);
  try {
    return (await answer.json()) as T;
  } catch (thrown) {
    throw new CloudError(`${asking.service} did not answer with JSON`, { status: answer.status, cause: thrown });
  }
}

/** One try. The time-out is for the answer's head: a body takes as long as it takes. */
async function once(seams: Seams, { method = "GET", url, headers, body }: Asking): Promise<Response> {
  const aborting = new AbortController();
  const deadline = seams.after(limits.cloudAnswer_ms, () => aborting.abort(new Error("no answer in time")));
  try {
    const sent = { method, headers: (await headers?.()) ?? {}, signal: aborting.signal, redirect: "manual" as const };
    return await fetch(url, body === undefined ? sent : { ...sent, body: body as BodyInit });
  } finally {
    deadline.cancel();
  }
}

async function failureOf({ service }: Asking, answer: Response | Error): Promise<CloudError> {
  if (answer instanceof CloudError) return answer;
  if (answer instanceof Error) {
    const { cause } = answer as { cause?: { code?: string; message?: string } };
    const why = cause?.code ?? cause?.message ?? answer.message;
    return new CloudError(`${service} can not be reached (${why})`, { cause: answer });
  }
  const said = (await answer.text().catch(() => "")).replaceAll(/\s+/g, " ").slice(0, TOLD_CHARACTERS);
  return new CloudError(`${service} answered ${answer.status}${said ? `: ${said}` : ""}`, { status: answer.status });
}

/** In seconds; a date is rare and is not understood. RFC 9110, section 10.2.3. */
function retryAfter_ms(answer: Response): number | undefined {
  const value = answer.headers.get("retry-after") ?? "";
  return /^\d{1,4}$/.test(value) ? Math.min(Number(value) * 1_000, limits.cloudRetryMost_ms) : undefined;
}

/** Doubles with each try; half of it is chance, so that many processes do not come back together. */
function backOff_ms(seams: Seams, tries: number): number {
  const most_ms = Math.min(limits.cloudRetryLeast_ms * 2 ** tries, limits.cloudRetryMost_ms);
  return most_ms / 2 + seams.randomInt(Math.ceil(most_ms / 2));
}
