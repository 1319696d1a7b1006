import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

// As little of RFC 6455 as a load client needs. A library's client costs several times the server's
// work for a frame, and then it would be measured instead of the server.

export interface WebSocketLink {
  /** Sends a text frame. */
  send(text: string): void;
  /** Sends each of the texts in a frame of its own, all in one write. */
  sendAll(texts: readonly string[]): void;
  destroy(): void;
}

export interface LinkOptions {
  origin: string;
  path: string;
  /** The address of this machine to come from, such as 127.0.1.7. */
  localAddress?: string | undefined;
  /** Ends an attempt whose handshake is not answered yet. */
  signal?: AbortSignal | undefined;
  /** A whole text message. The bytes are only good until it returns. */
  onMessage(payload: Buffer): void;
  /** The connection ended, for whatever reason. */
  onEnd(): void;
}

const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;

/** Opens a WebSocket and resolves when the server has agreed. Rejects with its status line when it has not. */
export function openWebSocket({
  origin,
  path,
  localAddress,
  signal,
  onMessage,
  onEnd,
}: LinkOptions): Promise<WebSocketLink> {
  const { hostname, port, host } = new URL(origin);
  const key = randomBytes(16).toString("base64");
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: hostname, ...(localAddress && { localAddress }) }, () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      ),
    );
    socket.setNoDelay(true);
    const giveUp = () => {
      reject(new Error("late in the handshake"));
      socket.destroy();
    };
    signal?.addEventListener("abort", giveUp);
    socket.once("error", reject);
    socket.once("close", () => {
      signal?.removeEventListener("abort", giveUp);
      reject(new Error("closed before the handshake")); // without effect after it
      onEnd();
    });
    socket.once("data", (first) => {
      const end = first.indexOf("\r\n\r\n");
      if (!first.toString("latin1", 0, 12).endsWith(" 101")) {
        socket.destroy();
        return reject(new Error(first.toString("latin1", 0, Math.max(0, first.indexOf("\r\n")))));
      }
      const read = createFrameReader((opcode, payload) => {
        if (opcode === TEXT) onMessage(payload);
        if (opcode === PING) write(socket, PONG, payload);
      });
      signal?.removeEventListener("abort", giveUp);
      socket.off("error", reject);
      socket.on("error", () => undefined); // "close" follows
      socket.on("data", read);
      read(first.subarray(end + 4));
      resolve({
        send: (text) => write(socket, TEXT, Buffer.from(text)),
        sendAll: (texts) => void socket.write(Buffer.concat(texts.flatMap((text) => parts(TEXT, Buffer.from(text))))),
        destroy: () => socket.destroy(),
      });
    });
  });
}

/** A client masks what it sends; a mask of zeros is one, and costs nothing. */
function write(socket: Socket, opcode: number, payload: Buffer): void {
  socket.write(Buffer.concat(parts(opcode, payload)));
}

/** A frame: its header, and what is in it. */
function parts(opcode: number, payload: Buffer): Buffer[] {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 6 : 8);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (length < 126 ? length : 126);
  if (length >= 126) header.writeUInt16BE(length, 2);
  return [header, payload];
}

/** Takes bytes as they come, and gives each whole frame of a server. Frames that span chunks are put together once. */
export function createFrameReader(onFrame: (opcode: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let waiting: Buffer[] = [];
  let waiting_bytes = 0;
  let needed_bytes = 2;

  return (chunk) => {
    waiting.push(chunk);
    waiting_bytes += chunk.length;
    if (waiting_bytes < needed_bytes) return;
    const bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting, waiting_bytes);
    let at = 0;
    for (;;) {
      const frame = frameAt(bytes, at);
      needed_bytes = frame.end - at;
      if (frame.end > bytes.length) break;
      onFrame((bytes[at] ?? 0) & 0x0f, bytes.subarray(frame.start, frame.end));
      at = frame.end;
    }
    waiting = at === bytes.length ? [] : [bytes.subarray(at)];
    waiting_bytes = bytes.length - at;
  };
}

/** Where the payload begins and ends; an end behind the bytes means that at least so many are needed. */
function frameAt(bytes: Buffer, at: number): { start: number; end: number } {
  if (bytes.length < at + 2) return { start: at, end: at + 2 };
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  if (bytes.length < start) return { start, end: start };
  if (short < 126) return { start, end: start + short };
  const length = short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  return { start, end: start + length };
}
