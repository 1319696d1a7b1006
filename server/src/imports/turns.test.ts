/** A large file keeps nobody else waiting while it is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { channelsOf } from "./channel-sources.ts";
import { peopleOf } from "./people-sources.ts";

const names = Array.from({ length: 10_000 }, (_, i) => `person-with-a-name-${i}`);

/** How often others had a turn meanwhile. */
async function turnsDuring(work: () => Promise<unknown[]>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const found = await work();
  isDone = true;
  assert(found.length > 0);
  return turns;
}

const csv = { separator: ",", columns: { username: "username" } };
const files: Record<string, () => Promise<unknown[]>> = {
  CSV: () => peopleOf({ format: "csv", text: `username\n${names.join("\n")}\n${"#".repeat(500_000)}\n`, ...csv }),
  "users.json": () =>
    peopleOf({ format: "slack", text: JSON.stringify(names.map((name) => ({ id: name, name, profile: {} }))) }),
  "Mattermost's JSONL": () =>
    peopleOf({
      format: "mattermost",
      text: names.map((username) => JSON.stringify({ type: "user", user: { username } })).join("\n"),
    }),
  "channels.json": () =>
    channelsOf({
      format: "slack",
      users: "[]",
      isPublic: true,
      separator: ",",
      channels: JSON.stringify(names.map((name) => ({ name }))),
    }),
};

for (const [name, read] of Object.entries(files))
  test(`${name}: others have their turns while it is read`, async () => {
    const turns = await turnsDuring(read);
    const least = name === "CSV" ? 700_000 / limits.importTurn_bytes : names.length / limits.importTurn_items;
    assert(turns >= Math.floor(least) - 1, `${turns} turns`);
  });
