import assert from "node:assert/strict";
import { test } from "node:test";
import { forSeeds } from "../../../testkit/src/simulation.ts";
import { placed } from "./entry.ts";
import { followLog } from "./follow.ts";
import type { Hub, Listener } from "./hub.ts";

test("a value that changes while it is loaded is not kept as it was, whatever the moment", async () => {
  await forSeeds(500, async ({ random, sleep, advance, seams }) => {
    let stored = 0;
    let listener: Listener = () => {};
    const hub = { listen: (each) => (listener = each) } as Partial<Hub> as Hub;
    const followed = followLog(hub, {
      max: 10,
      changes: (entry) => entry.userId ?? undefined,
      async load() {
        await sleep(random.below(5));
        const value = { version: stored };
        await sleep(random.below(5));
        return value;
      },
    });
    for (let i = 0; i < 10; i++) {
      seams.after(random.below(40), () => void followed.get("alice"));
      // The database has the change first, the hub a little later.
      seams.after(random.below(40), () => {
        stored += 1;
        seams.after(random.below(3), () =>
          listener([placed({ kind: "account_data", user: "alice", body: "{}" }, stored)], "offered"),
        );
      });
    }
    await advance(100);
    const value = followed.get("alice");
    await advance(100);
    assert.equal((await value).version, stored);
  });
});

test("a value is loaded once for all who ask at the same time, and a load that fails is not kept", async () => {
  let loads = 0;
  const hub = { listen: () => {} } as Partial<Hub> as Hub;
  const followed = followLog(hub, {
    max: 10,
    changes: () => undefined,
    async load() {
      loads += 1;
      if (loads === 1) throw new Error("the database is away");
      return {};
    },
  });
  const [first, second] = await Promise.allSettled([followed.get("a"), followed.get("a")]);
  assert.deepEqual([first.status, second.status, loads], ["rejected", "rejected", 1]);
  await followed.get("a");
  await followed.get("a");
  assert.equal(loads, 2);
});
