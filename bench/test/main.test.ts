import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Result, Row } from "../src/result.ts";
import { scenarios } from "../src/scenarios/list.ts";
import { type Faults, startStandin } from "./standin.ts";

// The whole command, as it is typed, against the stand-in.

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const QUICK = ["--seconds", "0.2", "--warmup", "0.1", "--runs", "1", "--rooms", "5"];

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function bench(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

let folder = "";
before(async () => void (folder = await mkdtemp(join(tmpdir(), "bench-main-"))));
after(() => rm(folder, { recursive: true }));

async function measure(
  faults: Faults,
  args: readonly string[],
): Promise<Ended & { result: Result; row: (name: string) => Row }> {
  await using standin = await startStandin(faults);
  const json = join(folder, "result.json");
  const ended = await bench("--target", standin.origin, ...QUICK, "--json", json, ...args);
  const result = JSON.parse(await readFile(json, "utf8")) as Result;
  const row = (name: string): Row => result.rows.find((one) => one.name === name) ?? assert.fail(`no row ${name}`);
  return { ...ended, result, row };
}

test("every scenario measures something on a working server", async () => {
  const byDefault = scenarios.filter(({ onlyByName }) => onlyByName !== true);
  const { code, stdout, result } = await measure({}, ["--label", "a try"]);
  assert.equal(code, 0, stdout);
  assert.equal(result.target.name, "Standin 1.2.3");
  assert.deepEqual(
    result.rows.map(({ name }) => name),
    byDefault.map(({ name }) => name),
  );
  for (const { name, median, notes } of result.rows) {
    const scenario = scenarios.find((each) => each.name === name);
    if (scenario?.needsOwnServers) {
      assert.match(notes.join(), /^it starts servers of its own/, name);
      continue;
    }
    if (scenario?.needsFeature) {
      assert.match(notes.join(), /^the server has no /, name);
      continue;
    }
    assert.ok(median && median.value > 0 && median.count > 0, `${name}: ${notes.join()}`);
    assert.deepEqual(median.failures, {}, name);
  }
  const delivered = result.rows.find(({ name }) => name === "deliveries")?.notes.join() ?? "";
  assert.match(delivered, / 0 missing/);
  assert.equal(stdout.split("\n").filter((line) => line.startsWith("| ")).length, byDefault.length + 2);
});

test("a soak is measured where it is named", async () => {
  const { code, row } = await measure({}, ["--only", "soak", "--minutes", "0.02"]);
  assert.equal(code, 0);
  const { median, notes } = row("soak");
  assert.ok(median && median.count > 10 && Number.isFinite(median.value), notes.join());
  assert.match(
    notes.join(),
    /^0.02 minutes, (20|19) samples: median of the first quarter \d+\.\d MB, of the last \d+\.\d MB$/,
  );
});

test("the beginning of names selects all of them", async () => {
  const { result } = await measure({}, ["--only", "sends,memory"]);
  assert.deepEqual(
    result.rows.map(({ name }) => name),
    ["memory", "sends-many", "sends-one"],
  );
});

test("a scenario that breaks down is told in its row and by the exit code, and the others still run", async () => {
  const hide = (_userId: string, text: string): boolean => text.startsWith("parley-bench");
  const { code, row } = await measure({ hide, failEverySend: 1 }, ["--only", "sync-changed,sends-one,latency"]);
  assert.equal(code, 1);
  assert.equal(row("sync-changed").broken, true, "the rooms need messages, and sending fails");
  assert.equal(row("latency").broken, true, "nothing was delivered");
  assert.equal(row("sends-one").verdict, "missed");
  assert.equal(row("sends-one").median?.count, 0);
});

test("a missed goal fails the command only with --strict", async () => {
  const slow = ["--only", "sends-one"];
  assert.equal((await measure({ failEverySend: 1 }, slow)).code, 0);
  assert.equal((await measure({ failEverySend: 1 }, [...slow, "--strict"])).code, 1);
});

test("accounts that do not suffice leave a scenario unmeasured, with the reason", async () => {
  const users = join(folder, "users.json");
  const accounts = Array.from({ length: 12 }, (_, index) => ({ user_id: `@u${index}:standin`, password: "right" }));
  await writeFile(users, JSON.stringify(accounts));
  const { code, row } = await measure({}, ["--users", users, "--only", "sends-one,latency"]);
  assert.equal(code, 0);
  assert.notEqual(row("sends-one").verdict, "not measured");
  assert.equal(row("latency").verdict, "not measured");
  assert.match(row("latency").notes.join(), /needs 0 \+ 20 users, has 0 \+ 12/);
});

test("a comparison with an earlier result is printed below the table", async () => {
  const earlier = join(folder, "earlier.json");
  await measure({}, ["--only", "sends-one", "--json", earlier]);
  const { stdout } = await measure({}, [
    "--only",
    "sends-one",
    "--compare",
    earlier,
    "--json",
    join(folder, "result.json"),
  ]);
  assert.match(stdout, /Against Standin 1\.2\.3 of .*\n\n.*ratio.*\n.*\n\| Sends, 10 senders.* ×/);
});

test("what can not be understood or reached ends with a sentence and exit code 1", async () => {
  const cases: [args: string[], sentence: RegExp][] = [
    [["--only", "flying"], /--only flying: there are memory/],
    [["--seconds", "0"], /--seconds 0 is not a positive number/],
    [["--target", "parley"], /--target parley is not an http URL/],
    [["--quick"], /Unknown option '--quick'/],
    [["--compare", join(folder, "none.json")], /ENOENT/],
    [["--target", "http://127.0.0.1:1"], /is not a working Matrix server: .*ECONNREFUSED/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stderr } = await bench(...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, sentence);
  }
});
