/** What every store has to keep while processes of this release and of another one share it. */
import assert from "node:assert/strict";
import { readMessage } from "../bus/bus.ts";
import type { Conformance, Rule } from "./conformance.ts";
import type { PresenceState, Upload } from "./ephemeral.ts";

const TTL_MS = 60_000;

export function releaseRules(rule: Rule, suite: Conformance): void {
  rule("a state that only another release knows is of somebody who is there, and no trouble", async ([a, b]) => {
    const [userId, witness] = ["@later:x", "@witness:x"];
    const state = "busy" as PresenceState;
    a.ephemeral.setPresence(userId, { state, active: true, timeout_ms: TTL_MS });
    a.ephemeral.setPresence(witness, { state: "online", active: true, timeout_ms: TTL_MS });
    for (const each of [a, b]) {
      await each.until(() => each.ephemeral.presence(witness)?.state === "online");
      assert.equal(each.ephemeral.presence(userId)?.state, "unavailable");
      assert.deepEqual(each.warnings, []);
    }
  });

  rule("an upload whose status only another release knows goes on, and hides no other", async ([a, b]) => {
    const later = { id: "later:x", userId: "@u:x", status: "scanning", bytes: 5, total: 10 } as unknown as Upload;
    const known = { ...later, id: "known:x", status: "complete" } as const;
    const heard: Upload[] = [];
    const both = new Promise<void>((resolve) =>
      b.ephemeral.listenUploads((upload) => void (heard.push(upload) === 2 && resolve())),
    );
    a.ephemeral.setUpload(later);
    a.ephemeral.setUpload(known);
    await both;
    assert.deepEqual(heard, [{ ...later, status: "uploading" }, known]);
    await a.ephemeral.close();
    assert.equal((await b.ephemeral.upload(later.id))?.status, "uploading");
  });

  // The memory of one process hears no news, and so it need not give out numbers above those that it has heard of.
  if (!suite.lose) return;
  rule(
    "news of another release are taken as far as they can be read, and asked for where not at all",
    async (pair, bus) => {
      const [a, b] = pair;
      const [roomId, other, userId] = ["!later:x", "!unread:x", "@u:x"];
      const news = new Promise<Record<string, unknown>>((resolve) =>
        bus.subscribe(
          "typing",
          (message) => message !== "" && resolve(readMessage<Record<string, unknown>>(message) ?? {}),
        ),
      );
      a.ephemeral.setTyping({ roomId: other, userId, timeout_ms: TTL_MS });
      const said = await news;
      await b.until(() => b.ephemeral.typing(other)?.users.length === 1);
      const [asked, number] = [b.asked.length, (said["upTo"] as number) + 1];
      const rows = { typing: [[roomId, [userId], number, { since: 0 }], ["unreadable"]], presence: [{ by: "name" }] };
      bus.publish("typing", JSON.stringify({ ...said, ...rows, after: said["upTo"], upTo: number, of_the_next: [] }));
      await b.until(() => b.ephemeral.typing(roomId)?.users.length === 1);
      assert.equal(b.asked.length, asked, "nothing had to be asked for");
      assert.deepEqual(b.warnings, []);
      bus.publish("typing", "2 another form");
      a.ephemeral.setTyping({ roomId: other, userId, timeout_ms: 0 });
      await b.until(() => b.ephemeral.typing(other)?.users.length === 0);
    },
  );
}
