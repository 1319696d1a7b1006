import { call, pathOf } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime, lengthOf } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { grouped } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import type { Job } from "./shapes.ts";

const OPEN_MS = 3_000;

const columns: readonly Column<Job>[] = [
  { id: "job_id", label: "No.", width: "70px", value: ({ job_id }) => job_id, atEnd: true },
  { id: "kind", label: "Job", width: "minmax(120px, 1fr)", value: ({ kind }) => kind, onPhone: true },
  { id: "target", label: "About", width: "minmax(160px, 1.5fr)", value: ({ target }) => target },
  {
    id: "state",
    label: "State",
    width: "110px",
    value: ({ state }) => state,
    cell: ({ state }) => <StatusTag state={state} />,
    onPhone: true,
  },
  { id: "created_by", label: "Made by", width: "minmax(120px, 1fr)", value: ({ created_by }) => created_by },
  timeColumn({ of: "created_ts", label: "Made", width: "90px" }),
  {
    id: "took",
    label: "Took",
    width: "90px",
    value: ({ started_ts, ended_ts }) => (started_ts && ended_ts ? lengthOf(ended_ts - started_ts) : null),
  },
];

const filters: readonly Filter[] = [
  {
    name: "state",
    label: "State",
    options: ["open", "queued", "running", "done", "failed", "cancelled"].map((value) => ({ value, label: value })),
  },
];

/** What takes longer than a request: purges, exports, retention. */
export function JobsTable() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Jobs"
        path="/jobs"
        columns={columns}
        rowId={({ job_id }) => String(job_id)}
        onOpen={({ job_id }) => set({ ...search, open: String(job_id) }, { isStep: true })}
        filters={filters}
        empty="No job has been made yet. Purges, exports and retention make them."
      />
      {open !== undefined && <JobSheet jobId={open} onClose={() => set(rest)} />}
    </>
  );
}

function JobSheet({ jobId, onClose }: { jobId: string; onClose: () => void }) {
  const job = useAnswer<Job>(pathOf`/jobs/${jobId}`, { every_ms: OPEN_MS });
  const isOpen = job.data?.state === "queued" || job.data?.state === "running";
  return (
    <Sheet
      title={`Job ${jobId}`}
      onClose={onClose}
      actions={isOpen && <ActButton act={() => cancel(jobId)}>Call off</ActButton>}
    >
      <Shown answer={job}>{(data) => <About job={data} />}</Shown>
    </Sheet>
  );
}

function About({ job }: { job: Job }) {
  return (
    <Facts>
      <Fact name="Job">{job.kind}</Fact>
      <Fact name="About">{job.target}</Fact>
      <Fact name="State">
        <StatusTag state={job.state} /> {job.cancel_asked && job.state === "running" ? "being called off" : ""}
      </Fact>
      {job.error && <Fact name="Why it failed">{job.error}</Fact>}
      {Object.entries(job.progress).map(([name, value]) => (
        <Fact key={name} name={name.replaceAll("_", " ")}>
          {grouped(value)}
        </Fact>
      ))}
      <Fact name="Events removed">{grouped(job.events_removed)}</Fact>
      <Fact name="Made">
        {exactTime(job.created_ts)} by {job.created_by}
      </Fact>
      <Fact name="Started">{job.started_ts && exactTime(job.started_ts)}</Fact>
      <Fact name="Ended">{job.ended_ts && exactTime(job.ended_ts)}</Fact>
    </Facts>
  );
}

function cancel(jobId: string): Act {
  return {
    title: `Call off job ${jobId}?`,
    consequence: "What it has done stays done. A running job ends behind its current step.",
    label: "Call off",
    run: () => call(pathOf`/jobs/${jobId}/cancel`, { method: "POST" }),
    done: `Job ${jobId} is called off.`,
  };
}
