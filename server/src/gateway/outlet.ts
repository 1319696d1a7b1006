/**
 * The way out of one socket. What is sent is written at once as long as the socket takes it. While it does not, frames are kept,
 * up to `limits.streamKept_bytes`: one more, and all that is kept is dropped, and the sender is told where the client stands, so
 * that it can begin there anew. So a socket whose other end does not read costs so much memory and no more, and loses nothing
 * without knowing. For all sockets of the process together there are `limits.streamsKept_bytes`: whoever would need more than is left
 * of them is dealt with in the same way.
 */
import type { Socket } from "node:net";
import { limits } from "../limits.ts";

/** How far a client has been told: the position in the log, and how much of typing and presence. */
export interface Stand {
  position: number;
  ephemeral: number;
}

/** What waits for all sockets of the process together. A frame that waits for several counts for each. */
export interface KeptTogether {
  bytes: number;
}

export interface Outlet {
  readonly socket: Socket;
  readonly together: KeptTogether;
  /** Frames that wait for the socket, each with where the client stands before it. Null most of the time. */
  kept: { frame: Buffer; before: Stand }[] | null;
  kept_bytes: number;
  /** Since when the socket has taken nothing, on the monotonic clock; 0 while it takes. */
  stuckSince_ms: number;
  onClear: (() => void) | null;
}

/** Opens the way out of a socket. */
export function openOutlet(socket: Socket, together: KeptTogether): Outlet {
  const outlet: Outlet = { socket, together, kept: null, kept_bytes: 0, stuckSince_ms: 0, onClear: null };
  socket.on("drain", () => drain(outlet));
  socket.once("close", () => {
    dropKept(outlet);
    release(outlet);
  });
  return outlet;
}

/** Whatever waits for the socket will not be sent. */
export function dropKept(outlet: Outlet): void {
  outlet.kept = null;
  count(outlet, -outlet.kept_bytes);
}

function count(outlet: Outlet, bytes: number): void {
  outlet.kept_bytes += bytes;
  outlet.together.bytes += bytes;
}

function isFull({ kept_bytes, together }: Outlet, more_bytes: number): boolean {
  return kept_bytes + more_bytes > limits.streamKept_bytes || together.bytes + more_bytes > limits.streamsKept_bytes;
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
 * Sends a frame. `before` is where the client stands without it. Gives undefined, or, where a limit is reached and everything
 * that was kept is gone, where the client stands after what has been written.
 */
export function send(outlet: Outlet, frame: Buffer, before: Stand): Stand | undefined {
  const { socket } = outlet;
  if (isClear(outlet)) {
    socket.write(frame);
    return undefined;
  }
  if (isFull(outlet, frame.length)) {
    const stand = outlet.kept?.[0]?.before ?? before;
    dropKept(outlet);
    return stand;
  }
  (outlet.kept ??= []).push({ frame, before });
  count(outlet, frame.length);
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
      count(outlet, -frame.length);
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
