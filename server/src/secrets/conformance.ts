/**
 * What every provider of secrets keeps, whichever adapter it is: one suite, run against servers that speak the real protocols. Each
 * rule names what it promises in the words of secrets.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretError, type Secrets } from "./secrets.ts";

/** What keeps the secrets of a test. */
export interface Keeper {
  /** Opens it as a process does that looks every few milliseconds. */
  open(): Promise<Secrets>;
  /** A name as this provider's names are. */
  name(word: string): string;
  /** Gives a secret a value; undefined takes it away. */
  set(name: string, value: string | undefined): Promise<void>;
  /** Goes wrong from now on, or no more; undefined where it can not. */
  fail?(how: "busy" | "refused" | "cut" | undefined): void;
  /** Whoever signed in must do so again. */
  signOutAll?(): void;
}

/** What can be done to a provider: its secrets change, it goes wrong, sessions with it end. */
export type Offer = "changes" | "failures" | "sessions";

export interface Conformance {
  name: string;
  offers: readonly Offer[];
  keeper(): Promise<Keeper>;
}

type Rule = (secrets: Secrets, keeper: Keeper) => Promise<void>;

/** Registers the rules that can be tried with what the provider offers. */
export function conform({ name, offers, keeper }: Conformance): void {
  for (const [text, { rule, needs }] of Object.entries(rules)) {
    if (needs && !offers.includes(needs)) continue;
    test(`${name}: ${text}`, { timeout: 60_000 }, async () => {
      const on = await keeper();
      const secrets = await on.open();
      try {
        await rule(secrets, on);
      } finally {
        secrets.close();
        on.fail?.(undefined);
      }
    });
  }
}

const VALUE = "postgres://parley:hunter2@db/parley";

const rules: Readonly<Record<string, { rule: Rule; needs?: Offer }>> = {
  "a secret is what was kept under its name, without the line end that editors add": {
    async rule(secrets, { name, set }) {
      await set(name("one"), `${VALUE}\n`);
      await set(name("other"), "grüße, 世界");
      assert.equal(await secrets.get(name("one")), VALUE);
      assert.equal(await secrets.get(name("other")), "grüße, 世界");
    },
  },

  "a field of a secret that is JSON is had by its name": {
    async rule(secrets, { name, set }) {
      await set(name("json"), JSON.stringify({ url: VALUE, user: "parley" }));
      assert.equal(await secrets.get(`${name("json")}#url`), VALUE);
      await assert.rejects(secrets.get(`${name("json")}#port`), isSecretError(/has no field port/));
    },
  },

  "one that is not there or is empty is refused, with its name and no value": {
    async rule(secrets, { name, set }) {
      await assert.rejects(
        secrets.get(name("nowhere")),
        isSecretError(new RegExp(`There is no secret ${name("nowhere")}`)),
      );
      await set(name("empty"), " \n");
      await assert.rejects(secrets.get(name("empty")), isSecretError(new RegExp(`${name("empty")} .*`)));
      await assert.rejects(
        secrets.watch(name("nowhere"), () => {}),
        isSecretError(/There is no secret/),
      );
    },
  },

  "who watches is told of each value that follows, and nobody else": {
    needs: "changes",
    async rule(secrets, { name, set }) {
      await set(name("turning"), "first");
      await set(name("still"), "still");
      const heard = listener();
      const watched = await secrets.watch(name("turning"), heard.hear);
      await secrets.watch(name("still"), () => assert.fail("it did not change"));
      assert.equal(watched.value, "first");
      for (const value of ["second", "third"]) {
        await set(name("turning"), value);
        await heard.until(value);
      }
      watched.stop();
      await set(name("turning"), "fourth");
      const after = listener();
      await secrets.watch(name("turning"), after.hear);
      await set(name("turning"), "fifth");
      await after.until("fifth");
      assert.deepEqual(heard.values, ["second", "third"]);
    },
  },

  "one that is taken away keeps its last value for who watches": {
    needs: "changes",
    async rule(secrets, { name, set }) {
      await set(name("gone"), "here");
      await set(name("beside"), "1");
      const beside = listener();
      await secrets.watch(name("gone"), () => assert.fail("it has no other value"));
      await secrets.watch(name("beside"), beside.hear);
      await set(name("gone"), undefined);
      await set(name("beside"), "2");
      await beside.until("2");
    },
  },

  "a service that is busy or cuts connections is asked again, and one that refuses is not believed to be empty": {
    needs: "failures",
    async rule(secrets, { name, set, fail }) {
      await set(name("busy"), VALUE);
      for (const how of ["busy", "cut"] as const) {
        fail?.(how);
        assert.equal(await secrets.get(name("busy")), VALUE);
      }
      fail?.("refused");
      await assert.rejects(secrets.get(name("busy")), isSecretError(/can not be had from/));
    },
  },

  "a session that ended is begun anew": {
    needs: "sessions",
    async rule(secrets, { name, set, signOutAll }) {
      await set(name("session"), "1");
      assert.equal(await secrets.get(name("session")), "1");
      signOutAll?.();
      await set(name("session"), "2");
      assert.equal(await secrets.get(name("session")), "2");
    },
  },
};

function isSecretError(expected: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SecretError, String(error));
    assert.match(error.message, expected);
    assert.equal(error.message.includes("hunter2"), false);
    return true;
  };
}

function listener() {
  const values: string[] = [];
  let onValue = () => {};
  return {
    values,
    hear(value: string) {
      values.push(value);
      onValue();
    },
    until: (value: string) =>
      new Promise<void>((resolve) => {
        onValue = () => values.includes(value) && resolve();
        onValue();
      }),
  };
}
