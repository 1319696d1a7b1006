import { Link } from "@tanstack/react-router";
import { call, pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { RoomLinks, UserLinks } from "../rooms/links.tsx";

/** What a member reported, as the operator API tells of it (server/src/directory/operations.ts). */
interface Report {
  report_id: number;
  kind: "event" | "room" | "user";
  reported_ts: number;
  reporter: string;
  room_id: string | null;
  event_id: string | null;
  user_id: string | null;
  event: { type: string; origin_server_ts: number } | null;
  reason: string;
  state: "open" | "resolved";
  resolved_ts: number | null;
  resolved_by: string | null;
  note: string | null;
}

const columns: readonly Column<Report>[] = [
  { id: "report_id", label: "No.", width: "70px", value: ({ report_id }) => report_id, atEnd: true },
  { id: "kind", label: "About", width: "90px", value: ({ kind }) => kind, onPhone: true },
  { id: "user_id", label: "Whom", width: "minmax(140px, 1fr)", value: ({ user_id }) => user_id, onPhone: true },
  { id: "room_id", label: "Room", width: "minmax(140px, 1fr)", value: ({ room_id }) => room_id },
  { id: "reason", label: "Why", width: "minmax(160px, 2fr)", value: ({ reason }) => reason },
  { id: "reporter", label: "Reported by", width: "minmax(140px, 1fr)", value: ({ reporter }) => reporter },
  timeColumn({ of: "reported_ts", label: "When", width: "90px" }),
  {
    id: "state",
    label: "State",
    width: "100px",
    value: ({ state }) => state,
    cell: ({ state }) => (state === "open" ? <StatusTag state="open" /> : "resolved"),
    onPhone: true,
  },
];

const filters: readonly Filter[] = [
  { name: "state", label: "State", options: ["open", "resolved"].map((value) => ({ value, label: value })) },
  { name: "user_id", label: "Whom" },
  { name: "room_id", label: "Room" },
  { name: "reporter", label: "Reported by" },
];

export default function Reports() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <Screen title="Reports" fills>
      <DataTable
        label="Reports"
        path="/reports"
        columns={columns}
        rowId={({ report_id }) => String(report_id)}
        onOpen={({ report_id }) => set({ ...search, open: String(report_id) }, { isStep: true })}
        filters={filters}
        empty="Nobody has reported anything."
      />
      {open !== undefined && <ReportSheet reportId={open} onClose={() => set(rest)} />}
    </Screen>
  );
}

function ReportSheet({ reportId, onClose }: { reportId: string; onClose: () => void }) {
  const report = useAnswer<Report>(pathOf`/reports/${reportId}`);
  const act = report.data?.state === "open" ? resolve : reopen;
  return (
    <Sheet
      title={`Report ${reportId}`}
      onClose={onClose}
      actions={
        report.data && (
          <ActButton size="default" variant={act === resolve ? "primary" : "secondary"} act={() => act(reportId)}>
            {act === resolve ? "Mark as dealt with" : "Open again"}
          </ActButton>
        )
      }
    >
      <Shown answer={report}>{(data) => <About report={data} />}</Shown>
    </Sheet>
  );
}

function About({ report }: { report: Report }) {
  const { event } = report;
  return (
    <Facts>
      <Fact name="About">{report.kind}</Fact>
      <Fact name="Whom">{report.user_id && <UserLinks userIds={[report.user_id]} />}</Fact>
      <Fact name="Room">{report.room_id && <RoomLinks roomIds={[report.room_id]} />}</Fact>
      {report.event_id && (
        <Fact name="Event">
          <code>{report.event_id}</code>{" "}
          {event ? `${event.type}, ${exactTime(event.origin_server_ts)}.` : "It is no longer there."} What it says is
          not shown here; a member of the room can say.
        </Fact>
      )}
      <Fact name="Why">{report.reason}</Fact>
      <Fact name="Reported by">
        <Link to={pathOf`/users/${report.reporter}`}>{report.reporter}</Link>
      </Fact>
      <Fact name="Reported">{exactTime(report.reported_ts)}</Fact>
      <Fact name="State">{report.state}</Fact>
      {report.resolved_ts !== null && (
        <Fact name="Dealt with">
          {exactTime(report.resolved_ts)} by {report.resolved_by}: {report.note}
        </Fact>
      )}
    </Facts>
  );
}

function resolve(reportId: string): Act {
  return {
    title: `Mark report ${reportId} as dealt with`,
    label: "Mark as dealt with",
    fields: [{ name: "note", label: "What was done, or why nothing was", kind: "area" }],
    run: ({ note = "" }) => call(pathOf`/reports/${reportId}/resolve`, { method: "POST", body: { note: note.trim() } }),
    done: `Report ${reportId} is dealt with.`,
    undo: () => call(pathOf`/reports/${reportId}/reopen`, { method: "POST" }),
  };
}

function reopen(reportId: string): Act {
  return {
    title: `Open report ${reportId} again?`,
    consequence: "Who dealt with it, and the note, stay in the audit log alone.",
    label: "Open again",
    run: () => call(pathOf`/reports/${reportId}/reopen`, { method: "POST" }),
    done: `Report ${reportId} is open again.`,
  };
}
