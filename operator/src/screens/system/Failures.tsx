import { call, pathOf } from "../../api.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { useAnswer, type ListPage } from "../../model/queries.ts";
import { ask, type Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { count, sizeOf } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import type { Letter } from "./shapes.ts";

const columns: readonly Column<Letter>[] = [
  { id: "letter_id", label: "No.", width: "80px", value: ({ letter_id }) => letter_id, atEnd: true },
  { id: "queue", label: "Queue", width: "minmax(120px, 1fr)", value: ({ queue }) => queue, onPhone: true },
  { id: "reason", label: "Why", width: "minmax(200px, 3fr)", value: ({ reason }) => reason, onPhone: true },
  { id: "attempts", label: "Attempts", width: "90px", value: ({ attempts }) => attempts, atEnd: true },
  {
    id: "size",
    label: "Size",
    width: "90px",
    value: ({ size_bytes }) => size_bytes,
    cell: ({ size_bytes }) => sizeOf(size_bytes),
    atEnd: true,
  },
  timeColumn({ of: "died_ts", label: "Since", width: "90px" }),
];

/** Messages between processes that could not be done. What is in one is never shown. */
export function Failures() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Failed messages"
        path="/system/dead-letters"
        columns={columns}
        rowId={({ letter_id }) => String(letter_id)}
        onOpen={({ letter_id }) => set({ ...search, open: String(letter_id) }, { isStep: true })}
        bulk={[
          { id: "retry", label: "Put back", icon: "refresh", run: (letters) => ask(putBack(letters)) },
          { id: "discard", label: "Remove", icon: "trash", run: (letters) => ask(remove(letters)) },
        ]}
        empty="Nothing has failed."
      />
      {open !== undefined && <LetterSheet letterId={open} onClose={() => set(rest)} />}
    </>
  );
}

function LetterSheet({ letterId, onClose }: { letterId: string; onClose: () => void }) {
  // The API tells of one message in its list alone; the list begins with the newest, so this one is behind the one after it.
  const page = useAnswer<ListPage<Letter>>("/system/dead-letters", { query: { limit: 200 } });
  const letter = page.data?.items.find(({ letter_id }) => String(letter_id) === letterId);
  return (
    <Sheet
      title={`Failed message ${letterId}`}
      onClose={onClose}
      actions={
        letter && (
          <>
            <ActButton act={() => remove([letter])}>Remove</ActButton>
            <ActButton act={() => putBack([letter])}>Put back</ActButton>
          </>
        )
      }
    >
      <Shown answer={page}>
        {() =>
          letter ? (
            <Facts>
              <Fact name="Queue">{letter.queue}</Fact>
              <Fact name="Why it failed">{letter.reason}</Fact>
              <Fact name="Attempts">{letter.attempts}</Fact>
              <Fact name="Size">{sizeOf(letter.size_bytes)}</Fact>
              <Fact name="Failed">{exactTime(letter.died_ts)}</Fact>
            </Facts>
          ) : (
            <Empty>This message was put back or removed meanwhile.</Empty>
          )
        }
      </Shown>
    </Sheet>
  );
}

function putBack(letters: readonly Letter[]): Act {
  return {
    title: `Put ${count(letters.length, "message")} back?`,
    consequence: "Each begins anew at the end of its queue. Where the cause is still there it comes back here.",
    label: "Put back",
    run: () => forEach(letters, "retry", {}),
    done: `Put ${count(letters.length, "message")} back.`,
  };
}

function remove(letters: readonly Letter[]): Act {
  return {
    title: `Remove ${count(letters.length, "message")}?`,
    consequence: "What somebody sent or read is lost with it, for good.",
    label: "Remove",
    isDangerous: true,
    asksReason: true,
    typed: "remove",
    run: ({ reason }) => forEach(letters, "discard", { reason }),
    done: `Removed ${count(letters.length, "message")}.`,
  };
}

async function forEach(letters: readonly Letter[], act: "retry" | "discard", body: object): Promise<void> {
  for (const { letter_id } of letters)
    await call(pathOf`/system/dead-letters/${String(letter_id)}/${act}`, { method: "POST", body });
}
