import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import type { LogEntry } from "./entry.ts";

const CLIENT = "/_matrix/client/v3";

test("a process that follows changes alone sees state and redactions of others, not messages, and comes to the same head", async () => {
  await using home = await startTestServer({ config: { bus: "postgresql" } });
  const config = { roles: ["messages"] as const, bus: "postgresql" as const };
  await using worker = await startTestServer({ databaseUrl: home.databaseUrl, config });
  const seen: LogEntry[] = [];
  worker.ctx.log.hub.listen((entries) => void seen.push(...entries));
  const alice = await registerPerson(home.url, "alice");
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, {});
  const room = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
  const send = async (n: number) =>
    (await alice.call("PUT", `${room}/send/m.room.message/t${n}`, { body: "x".repeat(20_000) })).event_id as string;
  // Too large for a hint, each by itself: they are read from the database.
  const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => send(n)));
  await alice.call("PUT", `${room}/state/m.room.name`, { name: "changed" });
  await alice.call("PUT", `${room}/redact/${encodeURIComponent(ids[0] as string)}/r`, {});
  const head = home.ctx.log.hub.head();
  await worker.ctx.log.reached(head);
  assert.equal(worker.ctx.log.hub.head(), head);
  assert.ok(seen.some(({ type }) => type === "m.room.name"));
  assert.ok(seen.some(({ redacts }) => redacts === ids[0]));
  assert.equal(seen.filter(({ type }) => type === "m.room.message").length, 0);
  assert.equal(worker.ctx.log.tail.floor(), head, "of a tail with gaps no range may be taken");

  worker.ctx.log.followAll();
  seen.length = 0;
  const later = await Promise.all(Array.from({ length: 40 }, (_, n) => send(100 + n)));
  await worker.ctx.log.reached(home.ctx.log.hub.head());
  assert.deepEqual(seen.flatMap(({ eventId }) => eventId ?? []).toSorted(), later.toSorted());
});
