/**
 * The way out of one socket. What is sent is written at once as long as the socket takes it. While it does not, frames are kept,
 * up to `limits.streamKept_bytes`: one more, and all that is kept is dropped, and the sender is told where the client stands, so
 * that it can begin there anew. So a socket whose other end does not read costs so much memory and no more, and loses nothing
 * without knowing.
 */
import type { Socket } from "node:net";
import { limits } from "../limits.ts";

/** How far a client has been told: the position in the log, and how much of typing and presence. */
export interface Stand {
  position: number;
  ephemeral: number;
}

export interface Outlet {
  readonly socket: Socket;
  /** Frames that wait for the socket, each with where the client stands before it. Null most of the time. */
  kept: { frame: Buffer; before: Stand }[] | null;
  kept_bytes: number;
  /** Since when the socket has taken nothing, on the monotonic clock; 0 while it takes. */
  stuckSince_ms: number;
  onClear: (() => void) | null;
}

/** Opens the way out of a socket. */
export function openOutlet(socket: Socket): Outlet {
  const outlet: Outlet = { socket, kept: null, kept_bytes: 0, stuckSince_ms: 0, onClear: null };
  socket.on("drain", () => drain(outlet));
  socket.once("close", () => {
    outlet.kept = null;
    release(outlet);
  });
  return outlet;
}

/** Whether the next frame would be written at once. */
export function isClear({ socket, kept }: Outlet): boolean {
  return kept === null && !socket.writableNeedDrain;
}

/** Resolves when everything is written, or the socket is closed. */
export function whenClear(outlet: Outlet): Promise<void> {
  if (isClear(outlet) || outlet.socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => (outlet.onClear = resolve));
}

/**
 * Sends a frame. `before` is where the client stands without it. Gives undefined, or, where the limit is reached and everything
 * that was kept is gone, where the client stands after what has been written.
 */
export function send(outlet: Outlet, frame: Buffer, before: Stand): Stand | undefined {
  const { socket } = outlet;
  if (isClear(outlet)) {
    socket.write(frame);
    return undefined;
  }
  if (outlet.kept_bytes + frame.length > limits.streamKept_bytes) {
    const stand = outlet.kept?.[0]?.before ?? before;
    outlet.kept = null;
    outlet.kept_bytes = 0;
    return stand;
  }
  (outlet.kept ??= []).push({ frame, before });
  outlet.kept_bytes += frame.length;
  return undefined;
}

/** The socket has taken what it was given: it gets what was kept, as long as it takes it. */
function drain(outlet: Outlet): void {
  const { socket, kept } = outlet;
  outlet.stuckSince_ms = 0;
  if (kept) {
    let taken = 0;
    for (; taken < kept.length && !socket.writableNeedDrain; taken++) {
      const { frame } = kept[taken] as { frame: Buffer };
      socket.write(frame);
      outlet.kept_bytes -= frame.length;
    }
    outlet.kept = taken < kept.length ? kept.slice(taken) : null;
  }
  if (isClear(outlet)) release(outlet);
}

function release(outlet: Outlet): void {
  const { onClear } = outlet;
  outlet.onClear = null;
  onClear?.();
}
