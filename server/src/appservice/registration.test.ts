/** Registration files: what is taken, and that a wrong one is refused with the file, the field and the fix, and without its tokens. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startService } from "../../../testkit/src/appservice.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { waitFor } from "../../../testkit/src/wait.ts";
import { StartError } from "../errors.ts";
import { readRegistrations } from "./files.ts";
import { readRegistration } from "./registration.ts";
import { openService } from "./service.ts";

const HEISENBRIDGE = `
id: heisenbridge
url: http://127.0.0.1:9898/
as_token: 5c7fJ7vW9TQ2dTzqBvMBp1qXH0XKkJXW
hs_token: 0qT4u8nUuB0F3nGzQ0pYkO2oQ5C2mB1l
rate_limited: false
sender_localpart: heisenbridge
namespaces:
  users:
  - regex: '@irc_.*'
    exclusive: true
  aliases: []
  rooms: []
`;

test("a file as bridges write it is read, with the names of their unstable switches", async () => {
  const read = await readRegistration(`${HEISENBRIDGE}de.sorunome.msc2409.push_ephemeral: true\n`, "irc.yaml");
  assert.equal(read.url, "http://127.0.0.1:9898");
  assert.deepEqual([read.isRateLimited, read.takesEphemeral, read.takesEncryption], [false, true, false]);
  const more = await readRegistration(
    HEISENBRIDGE.replace(/url: .*/, "url: null").replace("rate_limited: false", "org.matrix.msc3202: true"),
    "irc.yaml",
  );
  assert.deepEqual([more.url, more.isRateLimited, more.takesEncryption], [undefined, true, true]);
});

test("a wrong file is refused with its name and the field, and no token is in what is said", async () => {
  const wrong: [RegExp, (text: string) => string][] = [
    [/irc\.yaml: id is not valid/, (text) => text.replace("id: heisenbridge", "")],
    [/irc\.yaml: url is not valid.*http/, (text) => text.replace("http://127", "ftp://127")],
    [/irc\.yaml: as_token is not valid.*at least/, (text) => text.replace(/as_token: .*/, "as_token: 5c7fJ7")],
    [/irc\.yaml: sender_localpart is not valid/, (text) => text.replace("sender_localpart: h", "sender_localpart: H")],
    [/irc\.yaml: namespaces\.users\.0\.exclusive is not valid/, (text) => text.replace("exclusive: true", "")],
    [/irc\.yaml: namespaces is not valid/, (text) => text.replace(/namespaces:[^]*/, "")],
    [/irc\.yaml is not YAML \(line \d+\)/, (text) => text.replace("as_token: ", 'as_token: "')],
  ];
  for (const [message, spoil] of wrong)
    await assert.rejects(readRegistration(spoil(HEISENBRIDGE), "irc.yaml"), (error: Error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /5c7fJ7|0qT4u8/);
      return true;
    });
});

test("two services with one id, token or sender are refused, and so is a file that is not there", async () => {
  const directory = mkdtempSync(join(tmpdir(), "parley-registrations-"));
  try {
    const other = HEISENBRIDGE.replace(/heisenbridge/g, "other").replace("5c7fJ7", "999999");
    writeFileSync(join(directory, "a.yaml"), HEISENBRIDGE);
    writeFileSync(join(directory, "notes.txt"), "not read");
    for (const [member, text] of [
      ["as_token", other.replace("999999", "5c7fJ7")],
      ["id", other.replace("id: other", "id: heisenbridge")],
      ["sender_localpart", other.replace("localpart: other", "localpart: heisenbridge")],
    ] as const) {
      writeFileSync(join(directory, "b.yaml"), text);
      await assert.rejects(
        readRegistrations([directory]),
        new RegExp(`a\\.yaml and .*b\\.yaml have the same ${member}`),
      );
    }
    writeFileSync(join(directory, "b.yaml"), other);
    assert.deepEqual(
      (await readRegistrations([directory])).map(({ id }) => id),
      ["heisenbridge", "other"],
    );
    await assert.rejects(readRegistrations([join(directory, "nowhere.yaml")]), /nowhere\.yaml, which can not be read/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("patterns match from the beginning of local names; one that could take for ever is harmless, and look-ahead is refused", async () => {
  const registration = await readRegistration(HEISENBRIDGE, "irc.yaml");
  const service = await openService(registration, "localhost");
  assert.equal(service.user("@irc_ana:localhost"), "exclusive");
  assert.equal(service.user("@heisenbridge:localhost"), "exclusive");
  assert.equal(service.user("@irc_ana:elsewhere.org"), "no");
  assert.equal(service.user("@not@irc_ana:localhost"), "no");
  const slow = { ...registration, users: [{ exclusive: false, regex: "@(a+)+$" }] };
  const begun = process.cpuUsage().user;
  assert.equal((await openService(slow, "localhost")).user(`@${"a".repeat(200)}:localhost`), "no");
  assert.ok(process.cpuUsage().user - begun < 2_000_000);
  const ahead = { ...registration, users: [{ exclusive: true, regex: "@(?!admin).*" }] };
  await assert.rejects(openService(ahead, "localhost"), /heisenbridge.*namespaces\.users/);
});

test("a registration that changes is read anew, and one that became wrong leaves what was there", async () => {
  await using service = await startService("irc");
  const { secrets } = (await import("../config.ts")).readConfig({});
  const config = { appservices: [service.file], secrets: { ...secrets, refresh_ms: 20 } };
  await using server = await startTestServer({ config });
  const { services } = server.ctx;
  const looking = (look: () => void) => {
    const timer = setInterval(look, 10);
    return () => clearInterval(timer);
  };
  const becomes = (id: string) =>
    waitFor({ what: `the service is ${id}`, check: () => services.byId(id), listen: looking });
  writeFileSync(service.file, "id: [");
  writeFileSync(service.file, HEISENBRIDGE);
  await becomes("heisenbridge");
  assert.equal(services.byId("irc"), undefined);
  writeFileSync(service.file, "id: [");
  writeFileSync(service.file, HEISENBRIDGE.replace("id: heisenbridge", "id: third"));
  await becomes("third");
});
