/**
 * One exchange with the store at a time: what was set meanwhile goes with the next, together, and each answer brings what the
 * other replicas changed. There is an exchange when something was set here, when the bus says that something changed elsewhere
 * and its message was not enough, when something is about to be over, and now and then in case the bus said nothing.
 */
import type { Bus } from "../bus/bus.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams, Timer } from "../seams.ts";
import type { Health } from "./health.ts";
import { type News, type Operation, parseNews, type Store } from "./store.ts";
import type { View } from "./view.ts";

export interface Exchanges {
  /** Has the operation written with the next exchange, in place of one for the same person, session or room. */
  write(operation: Operation): void;
  /** Resolves when what waits now is written and seen here, or given up. */
  written(): Promise<void>;
  /** An exchange as soon as may be, for what it brings. */
  want(): void;
  close(): Promise<void>;
}

export interface ExchangesOptions {
  store: Store;
  view: View;
  health: Health;
  /** Absent where the store is not shared. */
  bus: Bus | undefined;
  seams: Seams;
  logger: Pick<Logger, "warn">;
  /** The store began anew, or is back: it may not have what was written before. */
  onForgotten(): void;
}

type Batch = { operations: Map<string, Operation> } & PromiseWithResolvers<void>;

const newBatch = (): Batch => ({ operations: new Map(), ...Promise.withResolvers<void>() });

export function openExchanges(options: ExchangesOptions): Exchanges {
  const { store, view, health, bus, seams } = options;
  let next = newBatch();
  let current: Batch | undefined;
  let isWanted = false;
  let running: Promise<void> | undefined;
  let isClosed = false;
  let isFirst = true;
  const ends = openEnds(seams, want);

  function want(): void {
    if (isClosed) return;
    isWanted = true;
    // What else is set in this turn of the loop goes along.
    running ??= Promise.resolve().then(runAll);
  }

  async function runAll(): Promise<void> {
    while (isWanted || next.operations.size > 0) {
      isWanted = false;
      current = next;
      next = newBatch();
      const operations = [...current.operations.values()];
      do await runOne(operations.splice(0, limits.ephemeralBatch_operations));
      while (operations.length > 0 && !health.isAway());
      current.resolve();
    }
    current = undefined;
    running = undefined;
  }

  async function runOne(operations: Operation[]): Promise<void> {
    const { after, born } = view.stand();
    const news = await health.ask(() => store.exchange({ operations, after, born }));
    const isForgotten = !isFirst && born !== news?.born;
    isFirst = false;
    if (!news) return;
    view.apply(news);
    if (news.isChanged) announce(bus, news);
    ends.expect(news);
    if (isForgotten) options.onForgotten();
    // The store's number is behind ours: it has to be raised before anybody gives out one that we have told of.
    if (view.clock() > news.upTo) want();
  }

  const unlisten = listenTo(options, { want, onApplied: ends.expect });
  const poll = store.isShared ? seams.every(limits.ephemeralPoll_ms, want) : undefined;

  return {
    want,
    write(operation) {
      // Shed first: nothing here is worth a queue that grows.
      if (health.isAway() || isClosed || next.operations.size >= limits.ephemeralWaiting_operations) return;
      next.operations.set(keyOf(operation), operation);
      want();
    },
    written() {
      // A batch that is about to begin takes what is set now.
      if (next.operations.size > 0 || (running && !current)) return next.promise;
      return current?.promise ?? Promise.resolve();
    },
    async close() {
      await running;
      isClosed = true;
      unlisten();
      poll?.cancel();
      ends.close();
    },
  };
}

function keyOf(operation: Operation): string {
  return "room" in operation ? `${operation.room} ${operation.user}` : `${operation.user} ${operation.session}`;
}

/** Calls `want` when something is over by the store's time, so that its end is told when it comes. */
function openEnds(seams: Seams, want: () => void) {
  let timer: Timer | undefined;
  return {
    expect({ now_ms, end_ms }: News): void {
      timer?.cancel();
      timer = undefined;
      if (end_ms == null) return;
      timer = seams.after(Math.max(limits.ephemeralEnd_ms, end_ms - now_ms), want);
    },
    close: () => timer?.cancel(),
  };
}

const TOPICS = ["typing", "presence"] as const;

/** Tells the other replicas what has changed. */
function announce(bus: Bus | undefined, news: News): void {
  if (!bus) return;
  const message = JSON.stringify(news);
  const topic = news.typing.length > 0 ? "typing" : "presence";
  // The whole does not say what is over; whoever hears an empty message asks for what they need.
  const isSmall = !news.isWhole && message.length <= limits.ephemeralHint_characters;
  bus.publish(topic, isSmall ? message : "");
}

/** News of other replicas: applied as they are where they follow what is known, else a reason to ask. */
function listenTo(
  { bus, view, logger }: ExchangesOptions,
  { want, onApplied }: { want(): void; onApplied(news: News): void },
): () => void {
  function receive(message: string, own: boolean): void {
    if (own) return;
    if (message === "") return want();
    try {
      const news = parseNews(JSON.parse(message));
      if (!view.apply({ ...news, isWhole: false })) want();
      else if (news.upTo >= view.clock()) onApplied(news);
    } catch (thrown) {
      logger.warn({ reason: asError(thrown).message }, "a hint about typing or presence could not be read");
      want();
    }
  }
  const undo = TOPICS.map((topic) => bus?.subscribe(topic, receive));
  return () => undo.forEach((each) => each?.());
}
