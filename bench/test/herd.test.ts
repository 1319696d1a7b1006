import assert from "node:assert/strict";
import { test } from "node:test";
import { openHerd } from "../src/herd.ts";
import { startStandinStream } from "./standin-stream.ts";

const users = Array.from({ length: 6 }, (_, index) => ({ userId: `@u${index}:standin`, accessToken: `t${index}` }));

test("a herd that was cut comes back with its last tokens, tries again when it is refused, and has read what it missed", async () => {
  await using standin = await startStandinStream();
  standin.add("before");
  const herd = await openHerd({ origin: standin.origin, users, progress() {} });
  assert.deepEqual(standin.since, Array(users.length).fill("s1"));
  assert.equal(standin.addresses.size, users.length, "each from an address of its own");
  const back = herd.back("while away", 60_000);
  standin.add("while away");
  standin.cut(3);
  const times = await back;
  assert.equal(times.length, users.length);
  assert.deepEqual(times, times.toSorted());
  assert.deepEqual(herd.refusals(), { "HTTP/1.1 503 Service Unavailable": 3 });
  assert.deepEqual(standin.since.slice(users.length), Array(users.length).fill("s1"));
  herd.stop();
});

test("who comes back without having read what was said meanwhile is not back", async () => {
  await using standin = await startStandinStream();
  const herd = await openHerd({ origin: standin.origin, users, progress() {} });
  const back = herd.back("never said", 2_500);
  standin.add("something else");
  standin.cut(0);
  await assert.rejects(back, /^Error: 0 of 6 streams were back after 2500 ms/);
  assert.equal(standin.since.length, 2 * users.length, "all had come");
  herd.stop();
});
