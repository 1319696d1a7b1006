import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { createProbe } from "../src/probe.ts";
import { findListener, listProcesses, readProcess, residentMemory, withDescendants } from "../src/processes.ts";
import { startStandin } from "./standin.ts";

test("the listener of a port is found, and no one where no one listens", async () => {
  const standin = await startStandin();
  const port = Number(new URL(standin.origin).port);
  assert.equal(findListener(port), process.pid);
  await standin[Symbol.asyncDispose]();
  assert.equal(findListener(port), undefined);
});

test("a process is read with its parent, its memory and its growing CPU time", () => {
  const before = readProcess(process.pid);
  const end_ms = performance.now() + 60;
  while (performance.now() < end_ms);
  const after = readProcess(process.pid);
  assert.equal(before?.parentPid, process.ppid);
  assert.ok((after?.cpu_ms ?? 0) > (before?.cpu_ms ?? 0));
  const { rss_bytes, peak_bytes } = residentMemory(process.pid);
  assert.ok(rss_bytes > 20_000_000 && rss_bytes <= peak_bytes);
});

test("a busy process: its CPU time and memory count as the share of the server whose process it is", async () => {
  // The child keeps a core busy for 200 ms, tells us, and waits.
  const script =
    "const end = Date.now() + 200; while (Date.now() < end); console.log('done'); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const probe = createProbe({ serverPids: [child.pid ?? 0], postgresPids: [] });
  const from = probe.moment();
  await once(child.stdout, "data");
  const shares = probe.shares(from, probe.moment());
  assert.ok((shares.server_percent ?? 0) > 10, `${shares.server_percent} %`);
  assert.equal(shares.postgres_percent, undefined);
  assert.ok(withDescendants(listProcesses(), [process.pid]).some(({ pid }) => pid === child.pid));
  assert.ok((probe.memory()?.server_bytes ?? 0) > 10_000_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(readProcess(child.pid ?? 0), undefined);
});

test("without a process in sight only the client's share is told", () => {
  const probe = createProbe({ serverPids: [], postgresPids: [] });
  const from = probe.moment();
  const end_ms = performance.now() + 30;
  while (performance.now() < end_ms);
  const shares = probe.shares(from, probe.moment());
  assert.deepEqual(Object.keys(shares).toSorted(), ["clientLoop_percent", "client_percent"]);
  assert.ok(shares.client_percent > 20);
  assert.equal(probe.memory(), undefined);
});
