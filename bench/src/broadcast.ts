import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createFrameReader } from "./websocket.ts";

// The broadcast in C (epoll-broadcast.c): the same frames, to clients that read them as they read those of the server.

const SOURCE = fileURLToPath(new URL("epoll-broadcast.c", import.meta.url));

export interface BroadcastOptions {
  /** Whole frames of the WebSocket protocol, as a server sends them. */
  frames: readonly Buffer[];
  connections: number;
  /** Each payload that a client has read; its bytes are only good until it returns. */
  onMessage(payload: Buffer): void;
}

export interface Broadcast extends AsyncDisposable {
  pid: number;
  /** Whether it writes. It does not when it is opened. */
  run(isRunning: boolean): void;
}

/** Why there is no broadcast on this machine; undefined where there is. */
export function missingCompiler(): string | undefined {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "there is no C compiler (Debian: apt-get install gcc libc6-dev)";
  }
}

/** Compiles the program, starts it and connects its clients. Rejects with the compiler's words where it does not compile. */
export async function openBroadcast({ frames, connections, onMessage }: BroadcastOptions): Promise<Broadcast> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "parley-broadcast-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const [program, file] = [join(folder, "epoll-broadcast"), join(folder, "frames")];
  execFileSync("cc", ["-O2", "-Wall", "-Werror", "-o", program, SOURCE]);
  await writeFile(file, Buffer.concat(frames.flatMap((frame) => [lengthOf(frame), frame])));
  const child = spawn(program, [file, String(connections)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const atExit = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", atExit);
  opened.defer(async () => {
    process.off("exit", atExit);
    child.kill("SIGKILL");
    await ended;
  });
  const [port] = (await once(createInterface(child.stdout), "line")) as [string];
  const sockets = await Promise.all(Array.from({ length: connections }, () => openReader(Number(port), onMessage)));
  opened.defer(() => sockets.forEach((socket) => socket.destroy()));
  let hasBegun = false;
  const ending = opened.move();
  return {
    pid: child.pid ?? 0,
    run(isRunning) {
      if (isRunning && !hasBegun) child.stdin.write("b");
      else if (hasBegun) child.kill(isRunning ? "SIGCONT" : "SIGSTOP");
      hasBegun ||= isRunning;
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

function lengthOf(frame: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(frame.length);
  return length;
}

async function openReader(port: number, onMessage: (payload: Buffer) => void): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  const read = createFrameReader((_opcode, payload) => onMessage(payload));
  socket.on("error", () => undefined); // "close" follows
  socket.on("data", read);
  await once(socket, "connect");
  return socket;
}

/** A text message in one frame, as a server sends it: RFC 6455, section 5.2. */
export function serverFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length <= 0xff_ff ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 126 ? length : length <= 0xff_ff ? 126 : 127;
  if (length > 0xff_ff) header.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) header.writeUInt16BE(length, 2);
  return Buffer.concat([header, payload]);
}
