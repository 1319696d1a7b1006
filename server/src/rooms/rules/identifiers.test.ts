import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as is from "./identifiers.ts";

/** A localpart that makes `sigil + localpart + ":s"` exactly so many bytes long. */
function filled(sigil: string, total_bytes: number, letter = "a"): string {
  return `${sigil}${letter.repeat((total_bytes - 3) / Buffer.byteLength(letter))}:s`;
}

interface Grammar {
  readonly name: string;
  readonly accepts: (value: unknown) => boolean;
  readonly yes: readonly string[];
  readonly no: readonly unknown[];
}

const notTexts = [undefined, null, 7, {}, ["@alice:s"]];

const grammars: Grammar[] = [
  {
    name: "a server name is a DNS name or an address, and perhaps a port",
    accepts: is.isServerName,
    yes: [
      "matrix.org",
      "matrix.org:8888",
      "1.2.3.4",
      "1.2.3.4:1234",
      "[1234:5678::abcd]",
      "[1234:5678::abcd]:5678",
      "UPPER.test",
      "localhost",
      "10.0.0.1",
      "[::10]:0",
      "room0.test:8",
    ],
    no: [
      ...notTexts,
      "",
      ":80",
      "a b",
      "a_b",
      "matrix.org:",
      "matrix.org:123456",
      "matrix.org:8a",
      "[::1",
      "::1",
      "a/b",
      "a\n",
      "ä.test",
      "a".repeat(256),
    ],
  },
  {
    name: "a user id has any localpart without colon and NUL, and a server name",
    accepts: is.isUserId,
    yes: [
      "@alice:parley.test",
      "@Alice Old!:parley.test",
      "@:parley.test",
      "@ä\n:parley.test",
      "@a:[::1]:80",
      filled("@", 255),
      filled("@", 255, "ä"),
      "@a/b:s",
    ],
    no: [
      ...notTexts,
      "",
      "@",
      "alice:parley.test",
      "#alice:parley.test",
      "@alice",
      "@alice:",
      "@a:b:c",
      "@a\0:s",
      "@\ud800:s",
      " @a:s",
      "@a:s ",
      filled("@", 256),
      filled("@", 257, "ä"),
    ],
  },
  {
    name: "a user id for a new account keeps to the narrow grammar",
    accepts: is.isNewUserId,
    yes: ["@alice:parley.test", "@a.b_c=d-e/f+0:parley.test"],
    no: [
      ...notTexts,
      "@Alice:parley.test",
      "@:parley.test",
      "@a b:parley.test",
      "@ä:parley.test",
      "@a\n:parley.test",
      "@alice",
    ],
  },
  {
    name: "a room alias has a localpart that is not empty",
    accepts: is.isRoomAlias,
    yes: ["#room:parley.test", "#Räume und mehr:parley.test", filled("#", 255)],
    no: [
      ...notTexts,
      "",
      "#",
      "#:parley.test",
      "room:parley.test",
      "!room:parley.test",
      "#room",
      "#a\0:s",
      "#\udfff:s",
      filled("#", 256),
    ],
  },
  {
    name: "a room id has a server name, or is 43 url-safe characters",
    accepts: is.isRoomId,
    yes: ["!room:parley.test", `!${"aB3-_".padEnd(43, "x")}`, filled("!", 255)],
    no: [
      ...notTexts,
      "",
      "!",
      "!room",
      "#room:parley.test",
      `!${"x".repeat(42)}`,
      `!${"x".repeat(44)}`,
      `!${"+".repeat(43)}`,
      `$${"x".repeat(43)}`,
      "!a\0:s",
      filled("!", 256),
    ],
  },
  {
    name: "an event id is opaque",
    accepts: is.isEventId,
    yes: [`$${"x".repeat(43)}`, "$old:parley.test", "$x", `$${"x".repeat(254)}`],
    no: [...notTexts, "", "$", "x", "!x", " $x", "$\0", "$\ud800", `$${"x".repeat(255)}`],
  },
];

for (const { name, accepts, yes, no } of grammars) {
  describe(name, () => {
    for (const value of yes)
      test(`${JSON.stringify(value).slice(0, 60)} is one`, () => assert.equal(accepts(value), true));
    for (const value of no)
      test(`${JSON.stringify(value)?.slice(0, 60)} is none`, () => assert.equal(accepts(value), false));
  });
}

test("the server name of an id is all after its first colon, the localpart all before it", () => {
  assert.equal(is.serverNameOf("@alice:parley.test:8448"), "parley.test:8448");
  assert.equal(is.serverNameOf("@alice:[::1]"), "[::1]");
  assert.equal(is.serverNameOf("!opaque"), undefined);
  assert.equal(is.localpartOf("@alice:parley.test:8448"), "alice");
  assert.equal(is.localpartOf("!opaque"), "opaque");
});

test("a limit counts the bytes of UTF-8, not the characters", () => {
  assert.equal(is.isLongerThan("ä".repeat(127), 254), false);
  assert.equal(is.isLongerThan("ä".repeat(128), 255), true);
  assert.equal(is.isLongerThan("€".repeat(85), 255), false);
  assert.equal(is.isLongerThan("😀".repeat(64), 255), true);
});
