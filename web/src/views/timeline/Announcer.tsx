import { useEffect, useRef, useState } from "react";
import type { Row } from "../../models/timeline/rows.ts";

const BATCH_MS = 2_000;

/** Reads new messages to a screen reader, at most one sentence in two seconds; the list itself stays silent. */
export function Announcer({ rows, ready }: { rows: Row[]; ready: boolean }) {
  const [text, setText] = useState("");
  const known = useRef<string | null>(null);
  const waiting = useRef<string[]>([]);
  useEffect(() => {
    const lastKey = rows.findLast((row) => row.type === "message")?.key ?? null;
    const index = known.current === null ? -1 : rows.findLastIndex((row) => row.key === known.current);
    if (ready && index !== -1) waiting.current.push(...rows.slice(index + 1).flatMap(sentence));
    if (ready) known.current = lastKey;
    if (waiting.current.length === 0) return;
    const timer = setTimeout(() => {
      const fresh = waiting.current.splice(0);
      setText(fresh.length > 3 ? `${fresh.length} new messages` : fresh.join(". "));
    }, BATCH_MS);
    return () => clearTimeout(timer);
  }, [rows, ready]);
  return (
    <div className="visuallyHidden" aria-live="polite" aria-atomic="true">
      {text}
    </div>
  );
}

function sentence(row: Row): string[] {
  if (row.type !== "message" || row.item.mine || row.item.body.kind === "undecryptable") return [];
  return [`${row.item.sender.name}: ${row.item.text}`];
}
