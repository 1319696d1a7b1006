/** Every series that the server tells of is drawn. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { panelsOf, type Series } from "./panels.ts";

const series = (name: string, unit = "per minute"): Series => ({ series: name, title: name, unit, values: [] });

test("every series is in one panel, also one that nobody has named yet", () => {
  const items = ["delivery_p99", "delivery_p50", "requests", "brand_new"].map((name) => series(name));
  const panels = panelsOf(items);
  assert.deepEqual(panels.flatMap((panel) => panel.series).toSorted(), items.map((item) => item.series).toSorted());
  assert.deepEqual(panels.at(-1), { title: "brand_new", unit: "per minute", series: ["brand_new"] });
});

test("a panel none of whose series is there is not drawn, and one has the unit of its series", () => {
  assert.deepEqual(panelsOf([series("storage_bytes", "bytes")]), [
    { title: "Storage", unit: "bytes", series: ["storage_bytes"] },
  ]);
});
