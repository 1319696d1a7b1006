/** Of PostgreSQL's answers only notifications are dropped, however the bytes are cut into pieces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../../testkit/src/log/random.ts";
import { notificationFilter } from "../src/notification-loss.ts";

function message(kind: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(body));
  bytes.write(kind, 0);
  bytes.writeInt32BE(bytes.length - 1, 1);
  bytes.write(body, 5);
  return bytes;
}

const others = [message("R", "authentication"), message("T", "A row A"), message("Z", "I")];
const [first, second] = [message("A", "one"), message("A", "two")];
const stream = Buffer.concat([others[0], first, others[1], second, others[2]] as Buffer[]);

test("notifications that are lost are gone, and nothing else is", () => {
  const random = seeded(1);
  for (let round = 0; round < 200; round++) {
    const filter = notificationFilter(() => true);
    const out: Buffer[] = [];
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + random.below(9);
      out.push(filter.answer(stream.subarray(at, end)));
      at = end;
    }
    assert.deepEqual(Buffer.concat(out), Buffer.concat(others));
  }
});

test("control: without a loss every byte arrives", () => {
  assert.deepEqual(notificationFilter(() => false).answer(stream), stream);
});
