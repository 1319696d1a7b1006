/** Filters stand in the address, so that a view can be kept and sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chipOf,
  type Filter,
  filtersIn,
  isFiltered,
  parseSearch,
  queryOf,
  stringifySearch,
  withFilter,
  withoutFilters,
} from "./search.ts";

const status: Filter = { name: "status", label: "Status", options: [{ value: "suspended", label: "Suspended" }] };
const filters = [status, { name: "actor", label: "Who" }];

test("what goes into an address comes out of it, whatever the characters", () => {
  for (const value of ["suspended", "5", "true", "@ana:example.org", "a&b=c d+e%", "žluťoučký", '"quoted"', "#room:x"])
    assert.deepEqual(parseSearch(stringifySearch({ q: value })), { q: value });
  assert.equal(stringifySearch({ q: "", status: undefined }), "");
  assert.equal(stringifySearch({ q: "ana" }), "?q=ana");
});

test("only the filters of a list are sent with its question", () => {
  const search = { q: "ana", status: "suspended", sort: "-created_ts", open: "17", actor: "" };
  assert.deepEqual(filtersIn(search, filters), { q: "ana", status: "suspended", sort: "-created_ts" });
});

test("an order narrows nothing, a search and a filter do", () => {
  assert.equal(isFiltered({ sort: "user_id" }), false);
  assert.equal(isFiltered({ q: "a" }), true);
  assert.equal(isFiltered({ sort: "user_id", status: "suspended" }), true);
});

test("a filter is set, changed and taken away without touching the rest of the address", () => {
  const address = { open: "17", status: "active" };
  assert.deepEqual(withFilter(address, "status", "suspended"), { open: "17", status: "suspended" });
  assert.deepEqual(withFilter(address, "status", ""), { open: "17" });
  assert.deepEqual(withoutFilters({ ...address, q: "x", sort: "user_id" }, filters), { open: "17", sort: "user_id" });
});

test("a chip says the filter in words, also for a value that nobody listed", () => {
  assert.equal(chipOf(status, "suspended"), "Status: Suspended");
  assert.equal(chipOf(status, "unheard-of"), "Status: unheard-of");
});

test("days of the address are asked for by their first and their last millisecond", () => {
  const days: Filter[] = [
    { name: "from", label: "From", day: { first: "since_ts" } },
    { name: "to", label: "To", day: { last: "until_ts" } },
  ];
  const start_ms = new Date(2026, 10, 21).getTime();
  assert.deepEqual(queryOf({ from: "2026-11-21", to: "2026-11-21", q: "x" }, days), {
    since_ts: `${start_ms}`,
    until_ts: `${start_ms + 86_399_999}`,
    q: "x",
  });
  assert.deepEqual(queryOf({ from: "yesterday" }, days), {});
});
