import { type KeyboardEvent, type MouseEvent, useState } from "react";
import { type CustomContainerComponentProps, Virtualizer } from "virtua";
import type { RoomModel } from "../../models/room/model.ts";
import { eventIdOf } from "../../models/timeline/reading.ts";
import type { Row } from "../../models/timeline/rows.ts";
import { useScope } from "./actions.ts";
import { actOnKey, movedIndex } from "./keys.ts";
import { RowBoundary } from "./RowBoundary.tsx";
import { RowView } from "./RowView.tsx";
import type { Scroller } from "./scroller.ts";
import { useLongPress } from "./useLongPress.ts";
import { useShift } from "./useTimelineEffects.ts";
import styles from "./Timeline.module.css";

export interface LogProps {
  room: RoomModel;
  label: string;
  rows: Row[];
  scroller: Scroller;
  onScroll: () => void;
  /** The message that the view has jumped to. */
  marked: string | null;
  /** The row whose menu or picker is open: it stays as if the pointer were on it. */
  pinned: string | null;
}

/** The rows themselves: a log with one row in the tab order, which the arrow keys move. */
export function Log({ room, label, rows, scroller, onScroll, marked, pinned }: LogProps) {
  const shift = useShift(rows);
  const { attachBox, attachList, onResize, onHand } = scroller;
  const [hovered, setHovered] = useState<string | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const at = rows.findIndex((row) => row.key === focused);
  const stop = at === -1 ? rows.length - 1 : at;
  const moveTo = (index: number) => {
    const row = rows[index];
    if (!row) return;
    setFocused(row.key);
    scroller.toIndex(index);
    requestAnimationFrame(() => scroller.element(row.key)?.focus({ preventScroll: true }));
  };
  return (
    <div
      ref={attachBox}
      className={styles["scroller"]}
      role="log"
      aria-label={label}
      aria-live="off"
      onScroll={onScroll}
      onWheel={onHand}
      onTouchMove={onHand}
      onPointerLeave={() => setHovered(null)}
      data-region="timeline"
    >
      <div className={styles["spacer"]} />
      <Virtualizer
        ref={attachList}
        as={Rows}
        data={rows}
        shift={shift}
        onResize={onResize}
        keepMounted={stop === -1 ? [] : [stop]}
        bufferSize={600}
      >
        {(row, index) => (
          <LogEntry
            key={row.key}
            row={row}
            room={room}
            place={{ index, size: rows.length, tabStop: index === stop }}
            active={row.key === hovered || row.key === pinned}
            marked={marked !== null && eventIdOf(row) === marked}
            onHover={() => setHovered(row.key)}
            onFocus={() => setFocused(row.key)}
            onMove={moveTo}
          />
        )}
      </Virtualizer>
      <div className={styles["end"]} />
    </div>
  );
}

/**
 * The list takes the pointer away from its rows while anything scrolls. Here the view also moves by itself, to stay at the end,
 * and a press that began on a button would end on nothing.
 */
function Rows({ style, ...rest }: CustomContainerComponentProps) {
  return <div {...rest} style={{ ...style, pointerEvents: undefined }} />;
}

interface EntryProps {
  row: Row;
  room: RoomModel;
  place: { index: number; size: number; tabStop: boolean };
  active: boolean;
  marked: boolean;
  onHover: () => void;
  onFocus: () => void;
  onMove: (index: number) => void;
}

function LogEntry({ row, room, place, active, marked, onHover, onFocus, onMove }: EntryProps) {
  const scope = useScope();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.target !== event.currentTarget) return;
    const moved = movedIndex(event.key, place.index, place.size);
    if (moved !== null) onMove(moved);
    else if (!actOnKey(scope, row, event)) return;
    event.preventDefault();
  };
  const touch = useLongPress((at) => {
    if (row.type === "message") scope.openMenu(row.item, at);
  });
  const onContextMenu = (event: MouseEvent) => {
    if (row.type !== "message" || (event.target as Element).closest("a, img") || String(getSelection())) return;
    event.preventDefault();
    scope.openMenu(row.item, { x: event.clientX, y: event.clientY });
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the keys of a message work on the row that has the focus
    <article
      className={styles["article"]}
      data-key={row.key}
      data-event={eventIdOf(row) ?? undefined}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- one row of the log is in the tab order, so that it can be read by keyboard
      tabIndex={place.tabStop ? 0 : -1}
      aria-setsize={place.size}
      aria-posinset={place.index + 1}
      onPointerEnter={onHover}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
      onContextMenu={onContextMenu}
      {...touch}
    >
      <RowBoundary>
        <RowView row={row} room={room} active={active} marked={marked} />
      </RowBoundary>
    </article>
  );
}
