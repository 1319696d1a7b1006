/**
 * Sends that come in over a stream. Each goes the way of `PUT …/send/…` (messages/send.ts): the same checks, rate limit and
 * transaction, so that a retry by either way is the same event. What an append brings goes back in one write.
 *
 * A connection has at most `limits.streamSends` of them on their way, and so many bytes. While it has more, nothing is read from
 * its socket: who sends faster than the log takes is slowed down, and is told nothing.
 */
import type { WebSocket } from "ws";
import { goodStandingFor } from "../auth/moderation.ts";
import { scopeFor } from "../bots/scopes.ts";
import type { Context } from "../context.ts";
import { asError, matrixError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { sendEvent } from "../messages/send.ts";
import { noteOnline } from "../sync/online.ts";
import { refuseInMaintenance } from "../system/maintenance.ts";
import type { Follower } from "./follower.ts";
import type { SendFrame } from "./frames.ts";
import type { Gateway } from "./gateway.ts";
import { send } from "./outlet.ts";
import { fallBack } from "./pump.ts";
import { textFrames } from "./wire.ts";

/** What a send over a stream is in place of. */
const SEND = "/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId";
const requireGoodStanding = goodStandingFor("PUT", SEND);
const requireScope = scopeFor("PUT", SEND);

/** Takes a send that came in a frame of this size, and answers it when it is committed or refused. Throws where too many are refused. */
export type TakeSend = (frame: SendFrame, frame_bytes: number) => void;

export interface SendingOptions {
  gateway: Gateway;
  follower: Follower;
  webSocket: Pick<WebSocket, "pause" | "resume">;
}

/** Opens the way in for the sends of one connection. */
export function openSending({ gateway, follower, webSocket }: SendingOptions): TakeSend {
  const { ctx } = gateway;
  const answer = openAnswers(gateway, follower);
  const underWay = { sends: 0, bytes: 0, isPaused: false };
  let noted_ms = Number.NEGATIVE_INFINITY;

  function begin(frame_bytes: number): void {
    underWay.sends += 1;
    underWay.bytes += frame_bytes;
    if (underWay.isPaused || !isAbove(underWay, 1)) return;
    underWay.isPaused = true;
    webSocket.pause();
  }

  function end(frame_bytes: number): void {
    underWay.sends -= 1;
    underWay.bytes -= frame_bytes;
    if (!underWay.isPaused || isAbove(underWay, 0.5)) return;
    underWay.isPaused = false;
    webSocket.resume();
  }

  return (frame, frame_bytes) => {
    const now_ms = ctx.seams.monotonic_ms();
    follower.heard_ms = now_ms;
    if (now_ms - noted_ms > limits.streamNote_ms) {
      noted_ms = now_ms;
      noteOnline(ctx, follower.session, follower.presence);
    }
    try {
      ctx.rates.take("send", follower.session.id);
    } catch (thrown) {
      // Who goes on all the same is closed for its frames in the end.
      ctx.rates.take("streamFrames", follower.session.id);
      return answer(refusedBy(ctx, frame.id, thrown));
    }
    begin(frame_bytes);
    void sent(ctx, follower, frame).then((text) => {
      end(frame_bytes);
      answer(text);
    });
  };
}

function isAbove({ sends, bytes }: { sends: number; bytes: number }, part: number): boolean {
  return sends > limits.streamSends * part || bytes > limits.streamSends_bytes * part;
}

/** Sends the event and gives the frame that answers. */
async function sent(ctx: Context, { session }: Follower, frame: SendFrame): Promise<string> {
  const { id, room_id: roomId, event_type: type, txn_id: txnId, content } = frame;
  try {
    // PostgreSQL's texts can not hold NUL, and no identifier has one.
    if (roomId.includes("\0")) throw matrixError("M_INVALID_PARAM", "The room id holds the character NUL.");
    refuseBlind(ctx);
    refuseInMaintenance(ctx, "PUT", SEND);
    requireGoodStanding(session);
    requireScope(session);
    const eventId = await sendEvent(ctx, { session, roomId, type, txnId, content });
    ctx.metrics.streamSends.inc({ outcome: "sent" });
    return `{"type":"sent","id":${id},"event_id":${JSON.stringify(eventId)}}`;
  } catch (thrown) {
    return refusedBy(ctx, id, thrown);
  }
}

/** A session that was ended elsewhere is noticed in the log. A process that does not hear it may not act for anybody. */
function refuseBlind({ log, seams }: Context): void {
  if (seams.monotonic_ms() - log.hub.heard_ms() <= limits.sessionBlind_ms) return;
  throw matrixError("IO_PARLEY_UNAVAILABLE", "The server does not hear its database. Try again in a second.", {
    retryAfter_ms: 1_000,
  });
}

function refusedBy(ctx: Context, id: number, thrown: unknown): string {
  ctx.metrics.streamSends.inc({ outcome: "refused" });
  if (!(thrown instanceof MatrixError)) ctx.logger.error({ err: asError(thrown) }, "a send over a stream failed");
  const error =
    thrown instanceof MatrixError ? thrown : matrixError("M_UNKNOWN", "Something went wrong here.", { status: 500 });
  return JSON.stringify({ type: "refused", id, status: error.status, ...error.body() });
}

/** Gathers the answers of one turn of the loop. */
function openAnswers(gateway: Gateway, follower: Follower): (text: string) => void {
  let texts: string[] = [];

  function flush(): void {
    const frames = textFrames(texts);
    texts = [];
    if (follower.phase === "over") return;
    // Where the socket takes nothing they may be dropped with all that waits for it: the client sees that, and sends again.
    const dropped = send(follower.outlet, frames, follower.stand);
    if (dropped) fallBack(gateway, follower, dropped);
  }

  return (text) => {
    if (texts.push(text) === 1) setImmediate(flush);
  };
}
