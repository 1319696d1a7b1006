import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { prepareUsers } from "../src/users.ts";
import { startStandin } from "./standin.ts";

const progress = (): void => {};

test("users are registered through the dummy stage, each with a name and token of its own", async () => {
  await using standin = await startStandin();
  const users = await prepareUsers({ origin: standin.origin, count: 9, progress });
  assert.equal(new Set(users.map(({ userId }) => userId)).size, 9);
  assert.equal(new Set(users.map(({ accessToken }) => accessToken)).size, 9);
});

for (const by of ["header", "body"] as const) {
  test(`a registration that is refused with 429 is tried again after the delay of the ${by}`, async () => {
    const delay_ms = 200;
    await using standin = await startStandin({ refuseRegistrations: { count: 6, delay_ms, by } });
    const from_ms = performance.now();
    const users = await prepareUsers({ origin: standin.origin, count: 3, progress });
    assert.equal(users.length, 3);
    assert.equal(standin.refused(), 6, "no more attempts than were refused");
    assert.ok(performance.now() - from_ms >= 2 * delay_ms - 5, "two refusals in a row were waited out");
  });
}

test("a registration token is given where the server wants one", async () => {
  await using standin = await startStandin({ registrationToken: "sesame" });
  const users = await prepareUsers({ origin: standin.origin, count: 2, registrationToken: "sesame", progress });
  assert.equal(users.length, 2);
});

test("a server that wants a token that we have not says so", async () => {
  await using standin = await startStandin({ registrationToken: "sesame" });
  await assert.rejects(prepareUsers({ origin: standin.origin, count: 1, progress }), /--registration-token/);
});

test("a wrong registration token ends with an error and not in a loop", async () => {
  await using standin = await startStandin({ registrationToken: "sesame" });
  const source = { origin: standin.origin, count: 1, registrationToken: "wrong", progress };
  await assert.rejects(prepareUsers(source), /more stages/);
});

test("accounts of a file sign in by password or use their token, and no more than there are", async () => {
  await using standin = await startStandin();
  const folder = await mkdtemp(join(tmpdir(), "bench-users-"));
  try {
    const file = join(folder, "users.json");
    const accounts = [
      { user_id: "@ann:standin", password: "right" },
      { user_id: "@ben:standin", access_token: "given" },
    ];
    await writeFile(file, JSON.stringify(accounts));
    const users = await prepareUsers({ origin: standin.origin, count: 5, file, progress });
    assert.deepEqual(users, [
      { userId: "@ann:standin", accessToken: "token-0" },
      { userId: "@ben:standin", accessToken: "given" },
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
