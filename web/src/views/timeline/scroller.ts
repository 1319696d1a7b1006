/**
 * Keeps the view of a timeline where a reader expects it, and knows what they see.
 *
 *   opening ──▶ following   no unread line: at the end, and stays there while messages come
 *           ──▶ reading     at the unread line
 *   following ◀──▶ reading  the reader scrolls away from the end, or comes back to it
 *
 * It lives outside of React: it answers to scroll events, which come far more often than rows change.
 */
import type { VirtualizerHandle } from "virtua";
import { createStore } from "zustand/vanilla";
import { indexOfEvent, lastSeenMessage, newSince } from "../../models/timeline/reading.ts";
import type { Row } from "../../models/timeline/rows.ts";

/** Closer to the end than this, the view follows new messages. */
const FOLLOW_WITHIN_PX = 40;
/** Older messages are fetched when the reader is closer to the first than this. */
const LOAD_WITHIN_PX = 1_200;
/** How much of what was read already is shown above the unread line. */
const ABOVE_NEW_PX = 96;
const CHIP_MS = 1_200;

export interface ScrollState {
  /** The view is at the newest message and follows what comes. */
  atEnd: boolean;
  /** Messages of others that came since the reader left the end. */
  fresh: number;
  /** The unread line is above the view and has not been seen. */
  unseenLine: boolean;
  /** The day of what stands at the top while the reader scrolls; null when they rest. */
  day_ms: number | null;
}

export class Scroller {
  readonly store = createStore<ScrollState>(() => ({ atEnd: true, fresh: 0, unseenLine: false, day_ms: null }));
  #box: HTMLElement | null = null;
  #list: VirtualizerHandle | null = null;
  #rows: Row[] = [];
  #opened = false;
  #sawLine = false;
  #hadLine = false;
  #top_px = 0;
  #lastAtEnd: string | null = null;
  #byHand = false;
  /** The list tells of new heights before it has taken them; this tells afterwards, also when the composer grows. */
  readonly #sizes = new ResizeObserver(() => this.onResize());
  #chipTimer: ReturnType<typeof setTimeout> | undefined;

  readonly attachBox = (element: HTMLElement | null): void => {
    this.#sizes.disconnect();
    this.#box = element;
    for (const each of element ? [element, ...element.children] : []) this.#sizes.observe(each);
  };
  readonly attachList = (handle: VirtualizerHandle | null): void => void (this.#list = handle);

  /** A wheel or a finger moves the view, so the day is worth showing. */
  readonly onHand = (): void => void (this.#byHand = true);

  readonly onResize = (): void => {
    if (this.store.getState().atEnd || this.#fits()) this.toEnd();
  };

  readonly onScroll = (): void => {
    const box = this.#box;
    const list = this.#list;
    if (!box || !list) return;
    const atEnd = this.#isAtEnd(box);
    if (atEnd) this.#lastAtEnd = this.#rows.at(-1)?.key ?? null;
    const line = this.#lineIndex();
    if (line !== -1 && list.scrollOffset <= list.getItemOffset(line)) this.#sawLine = true;
    this.store.setState({
      atEnd,
      fresh: newSince(this.#rows, this.#lastAtEnd),
      unseenLine: line > 0 && !this.#sawLine,
    });
    if (this.#byHand) this.#showDay();
  };

  /** Takes the rows that are on the screen now; called after each drawing. */
  update(rows: Row[], ready: boolean): void {
    this.#rows = rows;
    if (!ready || rows.length === 0) return;
    const lineCame = this.#lineIndex() !== -1 && !this.#hadLine;
    // What was drawn first may be as the room stood when it was left; the line comes a moment later.
    if (!this.#opened || (lineCame && !this.#byHand)) this.#open();
    else if (this.store.getState().atEnd || isOwnEcho(rows.at(-1))) this.toEnd();
    if (this.store.getState().atEnd) this.#lastAtEnd = rows.at(-1)?.key ?? null;
    this.store.setState({ fresh: newSince(rows, this.#lastAtEnd) });
  }

  toEnd(): void {
    this.store.setState({ atEnd: true });
    if (this.#box) this.#box.scrollTop = this.#box.scrollHeight;
  }

  toLine(): void {
    this.#list?.scrollToIndex(this.#lineIndex(), { align: "start", offset: -ABOVE_NEW_PX });
  }

  toIndex(index: number): void {
    this.#list?.scrollToIndex(index, { align: "nearest" });
  }

  /** Shows a message in the middle; false when it is not loaded. */
  toEvent(eventId: string): boolean {
    const index = indexOfEvent(this.#rows, eventId);
    if (index === -1) return false;
    this.#opened = true;
    this.store.setState({ atEnd: false });
    this.#list?.scrollToIndex(index, { align: "center" });
    return true;
  }

  wantsOlder(): boolean {
    return this.#box !== null && this.#box.scrollTop < LOAD_WITHIN_PX;
  }

  /** The newest message of which half is inside the view. */
  lastSeen(): string | null {
    const box = this.#box;
    const list = this.#list;
    if (!box || !list) return null;
    const shown = { top: list.scrollOffset, bottom: list.scrollOffset + box.clientHeight };
    const measure = (index: number) => ({ top: list.getItemOffset(index), height: list.getItemSize(index) });
    return lastSeenMessage(this.#rows, measure, shown);
  }

  element(key: string): HTMLElement | null {
    return this.#box?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
  }

  #open(): void {
    this.#opened = true;
    this.#hadLine = this.#lineIndex() !== -1;
    if (!this.#hadLine) return this.toEnd();
    this.store.setState({ atEnd: false });
    this.#lastAtEnd = this.#rows.at(-1)?.key ?? null;
    this.toLine();
    // The list has been measured only then.
    requestAnimationFrame(() => this.#fits() && this.toEnd());
  }

  /** Everything is inside the view, so there is no end to be away from. */
  #fits(): boolean {
    return this.#box !== null && this.#box.scrollHeight <= this.#box.clientHeight;
  }

  /** A view that follows stays at the end while rows below it turn out higher; only going up leaves it. */
  #isAtEnd(box: HTMLElement): boolean {
    const wentUp = box.scrollTop < this.#top_px;
    this.#top_px = box.scrollTop;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOW_WITHIN_PX) return true;
    return this.store.getState().atEnd && !wentUp;
  }

  #lineIndex(): number {
    return this.#rows.findIndex((row) => row.type === "new");
  }

  #showDay(): void {
    const top = this.#list?.findItemIndex(this.#list.scrollOffset) ?? 0;
    const atDay = this.#rows[top]?.type === "day" || (this.#box?.scrollTop ?? 0) === 0;
    const day = atDay ? undefined : this.#rows.slice(0, top + 1).findLast((row) => row.type === "day");
    this.store.setState({ day_ms: day?.type === "day" ? day.at_ms : null });
    clearTimeout(this.#chipTimer);
    this.#chipTimer = setTimeout(() => this.store.setState({ day_ms: null }), CHIP_MS);
  }
}

/** A message of one's own that is being sent always comes into view. */
function isOwnEcho(row: Row | undefined): boolean {
  return row?.type === "upload" || (row?.type === "message" && row.item.status === "sending");
}
