// The real servers of tests do not stay behind, and can be stopped in every way that a test needs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { clockOff, forgetClock, missingFaketime, missingService, startService } from "./services.ts";

const skip = missingService("redis");

/** What Redis answers to PING, or why there is no answer. */
async function ping(url: string, patience_ms = 5_000): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  try {
    socket.write("PING\r\n");
    const answer = once(socket, "data").then(([data]) => String(data).trim());
    return await Promise.race([answer, wait(patience_ms, "silence")]);
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? "error";
  } finally {
    socket.destroy();
  }
}

test(
  "a service is there until it is killed, comes back where it was, and hangs while it is paused",
  { skip },
  async () => {
    await using redis = await startService("redis");
    assert.equal(await ping(redis.url), "+PONG");
    await redis.kill();
    assert.equal(await ping(redis.url), "ECONNREFUSED");
    await redis.start();
    assert.equal(await ping(redis.url), "+PONG");
    redis.pause();
    assert.equal(await ping(redis.url, 100), "silence");
    redis.resume();
    assert.equal(await ping(redis.url), "+PONG");
    redis.pause();
  },
);

test(
  "a service ends with the process that started it, also when that is killed and the service is paused",
  { skip },
  async () => {
    const program = `
    import { startService } from ${JSON.stringify(new URL("./services.ts", import.meta.url).href)};
    const redis = await startService("redis");
    redis.pause();
    process.stdout.write(redis.url);
    setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [url] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGKILL");
    for (let answer = ""; answer !== "ECONNREFUSED"; answer = await ping(String(url), 20));
  },
);

test(
  "a clock that is wrong is wrong by as much as was said, and timers run as they should",
  {
    skip: missingFaketime(),
  },
  async () => {
    const program = `const begun = performance.now(); setTimeout(() => console.log(Date.now(), performance.now() - begun), 200)`;
    const child = spawn(process.execPath, ["-e", program], {
      env: { ...process.env, ...clockOff(-60) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [[data]] = await Promise.all([once(child.stdout, "data"), once(child, "exit")]);
    const [now_ms = 0, took_ms = 0] = String(data).trim().split(" ").map(Number);
    assert.ok(Math.abs(Date.now() - 3_600_000 - now_ms) < 60_000, `it said ${new Date(now_ms).toISOString()}`);
    assert.ok(took_ms >= 199 && took_ms < 10_000, `${took_ms}`);
  },
);

test(
  "a process with a wrong clock that is killed leaves nothing in shared memory",
  { skip: missingFaketime() },
  async () => {
    const program = `console.log("here"); setInterval(() => {}, 1_000)`;
    const env = { ...process.env, ...clockOff(5) };
    const child = spawn(process.execPath, ["-e", program], { env, stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const left = () => readdirSync("/dev/shm").filter((name) => name.endsWith(`_${child.pid}`));
    assert.equal(left().length, 2);
    child.kill("SIGKILL");
    await once(child, "exit");
    forgetClock(child.pid as number);
    assert.deepEqual(left(), []);
  },
);
