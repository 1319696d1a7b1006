/** The paths of the stream, io.parley.stream: docs/protocol/stream.md. */
import { newStreamTicket } from "../auth/stream-tickets.ts";
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { type Route, route } from "../http.ts";
import { limits } from "../limits.ts";
import { drain } from "./drain.ts";
import { openGateway } from "./gateway.ts";
import { type AcceptSocket, openHandshake } from "./handshake.ts";
import { closeEndedSessions, startSweep } from "./sweep.ts";

const handshakes = new WeakMap<Context, AcceptSocket>();

/** Opens the gateway. When the process stops, it sends its clients away. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  const gateway = openGateway(ctx);
  closeEndedSessions(gateway);
  const sweep = startSweep(gateway);
  handshakes.set(ctx, openHandshake(gateway));
  ctx.stopping.addEventListener("abort", () => {
    drain(gateway).catch((thrown: unknown) => ctx.logger.error({ err: asError(thrown) }, "the drain failed"));
  });
  return async () => {
    sweep.cancel();
    gateway.pump.close();
  };
}

export const routes: readonly Route[] = [
  route({
    method: "GET",
    path: "/_parley/client/v1/stream",
    access: "anyone",
    upgrade: true,
    handle(request, ctx) {
      handshakes.get(ctx)?.(request);
      return {};
    },
  }),
  route({
    method: "POST",
    path: "/_parley/client/v1/stream/ticket",
    access: "session",
    rate: "stream",
    async handle({ session }, ctx) {
      return { ticket: await newStreamTicket(ctx, session), expires_in_ms: limits.streamTicket_ms };
    },
  }),
];
