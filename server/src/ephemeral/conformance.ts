/**
 * What every store has to keep, as tests against the real thing, through the port and from two replicas. Nothing here waits for a
 * time to pass: it waits for the change that it expects.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "../bus/bus.ts";
import { realSeams, type Seams } from "../seams.ts";
import { releaseRules } from "./conformance-releases.ts";
import type { Ephemeral, Upload } from "./ephemeral.ts";
import { openShared } from "./shared.ts";
import type { Store } from "./store.ts";

export interface Conformance {
  name: string;
  skip: string | false;
  /** A way to the one store, for each replica its own. */
  openStore(): Promise<Store>;
  /** The store loses everything and goes on; left out where it can not. */
  lose?(): Promise<void>;
}

export interface Replica {
  ephemeral: Ephemeral;
  warnings: string[];
  /** What was asked of the store. */
  asked: Parameters<Store["exchange"]>[0][];
  /** Resolves when the condition holds, which is looked at with each change. */
  until(condition: () => unknown): Promise<void>;
}

/** A bus between replicas of this process, which loses some messages: those of these numbers, from 0. */
function connect(loses: (nth: number) => boolean): () => Bus {
  let published = 0;
  const all = new Set<{ topic: string; receive: (message: string, own: boolean) => void; by: number }>();
  let buses = 0;
  return () => {
    const by = buses++;
    return {
      packet_bytes: 0,
      publish(topic, message) {
        if (loses(published++)) return;
        setImmediate(() => {
          for (const each of all) if (each.topic === topic) each.receive(message, each.by === by);
        });
      },
      subscribe(topic, receive) {
        const each = { topic, receive, by };
        all.add(each);
        return () => void all.delete(each);
      },
      close: async () => {},
    };
  };
}

/** Opens replicas on the store, and gives what closes them. */
export async function openReplicas(
  suite: Pick<Conformance, "openStore">,
  { count = 2, loses = () => false }: { count?: number; loses?: (nth: number) => boolean } = {},
): Promise<{ replicas: Replica[]; bus: Bus; lookAround(): void } & AsyncDisposable> {
  const newBus = connect(loses);
  const looks: (() => void)[] = [];
  // The regular look at the store happens when the test says so.
  const seams: Seams = {
    ...realSeams,
    every: (_every_ms, look) => {
      looks.push(look);
      return { cancel() {} };
    },
  };
  const replicas: Replica[] = [];
  for (let i = 0; i < count; i++) {
    const store = await suite.openStore();
    const asked: Replica["asked"] = [];
    const exchange: Store["exchange"] = (ask) => (asked.push(ask), store.exchange(ask));
    const warnings: string[] = [];
    const logger = { warn: (_about: unknown, text?: string) => void warnings.push(text ?? "") };
    const ephemeral = openShared({ store: { ...store, exchange }, bus: newBus(), seams, logger });
    await ephemeral.written();
    replicas.push({ ephemeral, warnings, asked, until: (condition) => untilChange(ephemeral, condition) });
  }
  return {
    replicas,
    // For a test that stands in for another replica.
    bus: newBus(),
    lookAround: () => looks.forEach((look) => look()),
    async [Symbol.asyncDispose]() {
      for (const { ephemeral } of replicas) await ephemeral.close();
    },
  };
}

function untilChange(ephemeral: Ephemeral, condition: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    const look = () => void (condition() && resolve());
    ephemeral.listen(look);
    look();
  });
}

let made = 0;
/** Names that no other test uses: the store is one for all. */
const fresh = (sigil: string) => `${sigil}${++made}:x`;
const TTL_MS = 60_000;

type Pair = [Replica, Replica];

/** Runs all of it against one store. */
export function conformance(suite: Conformance): void {
  const rule: Rule = (text, check) =>
    void test(`${suite.name}: ${text}`, { skip: suite.skip, timeout: 30_000 }, async () => {
      await using opened = await openReplicas(suite);
      await check(opened.replicas as Pair, opened.bus);
    });
  typingRules(rule);
  presenceRules(rule);
  clockRules(rule, suite);
  lossRules(suite);
  bucketRules(rule);
  uploadRules(rule);
  releaseRules(rule, suite);
}

export type Rule = (text: string, check: (pair: Pair, bus: Bus) => Promise<void>) => void;

function typingRules(rule: Rule): void {
  rule("typing on one replica is seen on the other, with the same number, and so is its end", async ([a, b]) => {
    const [roomId, userId] = [fresh("!"), fresh("@")];
    a.ephemeral.setTyping({ roomId, userId, timeout_ms: TTL_MS });
    await a.ephemeral.written();
    assert.deepEqual(a.ephemeral.typing(roomId)?.users, [userId]);
    await b.until(() => b.ephemeral.typing(roomId)?.users.length === 1);
    assert.deepEqual(b.ephemeral.typing(roomId), a.ephemeral.typing(roomId));
    b.ephemeral.setTyping({ roomId, userId, timeout_ms: 0 });
    await a.until(() => a.ephemeral.typing(roomId)?.users.length === 0);
    assert.deepEqual(a.ephemeral.typing(roomId), b.ephemeral.typing(roomId));
  });

  rule("typing ends by itself on every replica, though whoever set it is gone", async ([a, b]) => {
    const [roomId, userId] = [fresh("!"), fresh("@")];
    a.ephemeral.setTyping({ roomId, userId, timeout_ms: 50 });
    await b.until(() => b.ephemeral.typing(roomId)?.users.length === 1);
    await a.ephemeral.close();
    await b.until(() => b.ephemeral.typing(roomId)?.users.length === 0);
  });

  rule("who types on, or ends what never began, changes nothing", async ([a]) => {
    const [roomId, userId] = [fresh("!"), fresh("@")];
    const set = async (user: string, timeout_ms: number) => {
      a.ephemeral.setTyping({ roomId, userId: user, timeout_ms });
      await a.ephemeral.written();
      return a.ephemeral.typing(roomId);
    };
    assert.equal(await set(userId, 0), undefined);
    const first = await set(userId, TTL_MS);
    assert.deepEqual(await set(userId, TTL_MS), first);
    assert.deepEqual(await set(fresh("@"), 0), first);
  });
}

function presenceRules(rule: Rule): void {
  rule("a person is online while any session is, on any replica", async ([a, b]) => {
    const userId = fresh("@");
    const state = () => b.ephemeral.presence(userId)?.state;
    a.ephemeral.setPresence(userId, { sessionId: 1, state: "online", active: true, timeout_ms: 100 });
    await b.until(() => state() === "online");
    b.ephemeral.setPresence(userId, { sessionId: 2, state: "unavailable", active: false, timeout_ms: TTL_MS });
    await b.ephemeral.written();
    assert.equal(state(), "online");
    // The timeout of the first, which replica a has to bring about or anybody else, leaves what the other says.
    await b.until(() => state() !== "online");
    assert.equal(state(), "unavailable");
    a.ephemeral.setPresence(userId, { sessionId: 1, state: "online", active: true, timeout_ms: TTL_MS });
    await b.until(() => state() === "online");
    a.ephemeral.setPresence(userId, { sessionId: 1, state: "offline", active: false });
    b.ephemeral.setPresence(userId, { sessionId: 2, state: "offline", active: false });
    await b.until(() => state() === "offline");
  });

  rule("a session that goes on at another replica outlives its timeout at the first", async ([a, b]) => {
    const [userId, witness] = [fresh("@"), fresh("@")];
    const states: string[] = [];
    for (const { ephemeral } of [a, b])
      ephemeral.listen((change) => {
        if ("userId" in change && change.userId === userId) states.push(ephemeral.presence(userId)?.state as string);
      });
    // The witness's end is a later one than that of the session at replica a.
    a.ephemeral.setPresence(userId, { sessionId: 1, state: "online", active: true, timeout_ms: 50 });
    await a.ephemeral.written();
    b.ephemeral.setPresence(userId, { sessionId: 1, state: "online", active: true, timeout_ms: TTL_MS });
    b.ephemeral.setPresence(witness, { state: "online", active: true, timeout_ms: 100 });
    await b.ephemeral.written();
    for (const each of [a, b]) await each.until(() => each.ephemeral.presence(witness)?.state === "offline");
    assert.deepEqual(states, ["online", "online"], "once on each replica");
  });

  rule("a status stays until it is taken away, and is found by the number of its change", async ([a, b]) => {
    const userId = fresh("@");
    const status = () => b.ephemeral.presence(userId)?.statusMessage;
    a.ephemeral.setPresence(userId, { state: "online", statusMessage: 'here, "now"', active: true });
    await b.until(() => status() === 'here, "now"');
    const seen = b.ephemeral.clock();
    b.ephemeral.setPresence(userId, { state: "unavailable", active: false });
    await b.ephemeral.written();
    assert.equal(status(), 'here, "now"');
    assert.deepEqual(
      [...b.ephemeral.presenceChanges(seen)].map((each) => each.userId),
      [userId],
    );
    assert.deepEqual([...b.ephemeral.presenceChanges(b.ephemeral.clock())], []);
    a.ephemeral.setPresence(userId, { state: "unavailable", statusMessage: null, active: false });
    await b.until(() => status() === null);
  });
}

function clockRules(rule: Rule, suite: Conformance): void {
  rule(
    "numbers only grow, and what one replica has told under a number another never tells above it",
    async ([a, b]) => {
      const roomId = fresh("!");
      let before = 0;
      for (const each of [a, b, a, b, b, a]) {
        each.ephemeral.setTyping({ roomId, userId: fresh("@"), timeout_ms: TTL_MS });
        await each.ephemeral.written();
        const changed = each.ephemeral.typing(roomId)?.changed ?? 0;
        assert.ok(changed > before);
        assert.ok(each.ephemeral.clock() >= changed);
        before = changed;
      }
      await b.until(() => b.ephemeral.typing(roomId)?.users.length === 6);
      assert.equal(b.ephemeral.typing(roomId)?.changed, before);
    },
  );

  rule("a replica that comes later knows what is true, with its numbers", async ([a]) => {
    const [roomId, userId] = [fresh("!"), fresh("@")];
    a.ephemeral.setTyping({ roomId, userId, timeout_ms: TTL_MS });
    a.ephemeral.setPresence(userId, { state: "online", active: true });
    await a.ephemeral.written();
    await using later = await openReplicas(suite, { count: 1 });
    const { ephemeral } = later.replicas[0] as Replica;
    assert.deepEqual(ephemeral.typing(roomId), a.ephemeral.typing(roomId));
    assert.equal(ephemeral.presence(userId)?.changed, a.ephemeral.presence(userId)?.changed);
    assert.ok(ephemeral.clock() >= a.ephemeral.clock());
  });
}

function lossRules(suite: Conformance): void {
  test(
    `${suite.name}: with a dead bus the regular look finds what the others changed`,
    { skip: suite.skip, timeout: 30_000 },
    async () => {
      await using opened = await openReplicas(suite, { loses: () => true });
      const [a, b] = opened.replicas as Pair;
      const [roomId, userId] = [fresh("!"), fresh("@")];
      a.ephemeral.setTyping({ roomId, userId, timeout_ms: TTL_MS });
      await a.ephemeral.written();
      assert.equal(b.ephemeral.typing(roomId), undefined);
      opened.lookAround();
      await b.until(() => b.ephemeral.typing(roomId)?.users.length === 1);
    },
  );

  test(
    `${suite.name}: what a lost message said is found with the next`,
    { skip: suite.skip, timeout: 30_000 },
    async () => {
      await using opened = await openReplicas(suite, { loses: (nth) => nth === 0 });
      const [a, b] = opened.replicas as Pair;
      const [first, second, userId] = [fresh("!"), fresh("!"), fresh("@")];
      for (const roomId of [first, second]) {
        a.ephemeral.setTyping({ roomId, userId, timeout_ms: TTL_MS });
        await a.ephemeral.written();
      }
      await b.until(() => b.ephemeral.typing(second)?.users.length === 1);
      assert.deepEqual(b.ephemeral.typing(first), a.ephemeral.typing(first));
    },
  );

  const skip = suite.skip || (suite.lose ? false : "it has nowhere to be lost");
  test(
    `${suite.name}: when the store loses everything, typing ends, and who is online is so again`,
    { skip },
    async () => {
      await using opened = await openReplicas(suite);
      const [a, b] = opened.replicas as Pair;
      const [roomId, userId] = [fresh("!"), fresh("@")];
      a.ephemeral.setTyping({ roomId, userId, timeout_ms: TTL_MS });
      a.ephemeral.setPresence(userId, { state: "online", active: true });
      await b.until(() => b.ephemeral.presence(userId)?.state === "online");
      const seen = b.ephemeral.clock();
      await suite.lose?.();
      // The one that has the session looks first: it finds the store empty, and says it again.
      const ended = b.until(() => b.ephemeral.typing(roomId)?.users.length === 0);
      opened.lookAround();
      await ended;
      assert.ok((b.ephemeral.typing(roomId)?.changed ?? 0) > seen, "whoever saw it typing learns that it ended");
      await b.until(() => b.ephemeral.presence(userId)?.state === "online");
      await a.until(() => a.ephemeral.typing(roomId)?.users.length === 0);
      assert.equal(a.ephemeral.presence(userId)?.state, "online");
    },
  );
}

function bucketRules(rule: Rule): void {
  rule("a bucket gives each of its tokens once, to whichever replica asks", async ([a, b]) => {
    const one = { name: fresh("bucket"), burst: 10, perSecond: 0.001, tokens: 1, isSpent: false };
    const asks = Array.from({ length: 15 }, (_, i) => (i % 2 ? a : b).ephemeral.spend([one]));
    const taken = (await Promise.all(asks)).map((answer) => answer?.[0]?.isTaken);
    assert.equal(taken.filter(Boolean).length, 10);
    const [left] = (await a.ephemeral.spend([{ ...one, tokens: 0 }])) ?? [];
    assert.ok(left && left.tokens >= 0 && left.tokens < 1, "what is refused costs nothing");
  });

  rule("what was spent already goes below nothing, to no more than a burst, and answers come in order", async ([a]) => {
    const [x, y] = [fresh("z"), fresh("a")];
    const about = { burst: 10, perSecond: 0.001, isSpent: true };
    const answers = await a.ephemeral.spend([
      { name: x, tokens: 3, ...about },
      { name: y, tokens: 100, ...about },
    ]);
    assert.deepEqual(
      answers?.map(({ tokens, isTaken }) => [Math.round(tokens), isTaken]),
      [
        [7, true],
        [-10, true],
      ],
    );
  });

  rule("a bucket fills by itself, and never beyond its burst", async ([a]) => {
    const one = { name: fresh("bucket"), burst: 5, perSecond: 1e6, tokens: 5, isSpent: true };
    await a.ephemeral.spend([one]);
    const look = async () => (await a.ephemeral.spend([{ ...one, tokens: 0 }]))?.[0]?.tokens ?? 0;
    // At a million a second it is full again within a millisecond.
    let tokens = await look();
    while (tokens < 5) tokens = await new Promise<number>((resolve) => setImmediate(() => resolve(look())));
    assert.equal(tokens, 5);
  });
}

function uploadRules(rule: Rule): void {
  rule("an upload's progress is heard on every replica, and can be asked for", async ([a, b]) => {
    const [id, userId] = [fresh("upload"), fresh("@")];
    const upload: Upload = { id, userId, status: "uploading", bytes: 5, total: 10 };
    const heard = new Promise<Upload>((resolve) => b.ephemeral.listenUploads(resolve));
    assert.equal(await b.ephemeral.upload(id), undefined);
    a.ephemeral.setUpload(upload);
    assert.deepEqual(await heard, upload);
    const ended = { ...upload, status: "complete", bytes: 11, total: undefined } as const;
    const over = new Promise<Upload>((resolve) => b.ephemeral.listenUploads(resolve));
    a.ephemeral.setUpload(ended);
    assert.deepEqual({ ...(await over), total: undefined }, ended);
    await a.ephemeral.close();
    assert.equal((await b.ephemeral.upload(id))?.status, "complete");
    assert.equal((await b.ephemeral.upload(id))?.bytes, 11);
  });
}
