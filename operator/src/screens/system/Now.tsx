import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Time } from "../../parts/Time.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { count, grouped } from "../../parts/words.ts";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import type { Maintenance, Process, Queues } from "./shapes.ts";

const LOOK_MS = 10_000;

/** What runs at this moment. */
export function Now() {
  return (
    <>
      <MaintenanceSection />
      <Processes />
      <QueuesSection />
    </>
  );
}

function MaintenanceSection() {
  const maintenance = useAnswer<Maintenance>("/system/maintenance", { every_ms: LOOK_MS });
  return (
    <Section
      title="Maintenance"
      intro="While it is on nobody can write; reading goes on, and so does this console."
      action={
        maintenance.data && (
          <ActButton act={maintenance.data.on ? endMaintenance : beginMaintenance}>
            {maintenance.data.on ? "End maintenance" : "Begin maintenance"}
          </ActButton>
        )
      }
    >
      <Shown answer={maintenance}>
        {({ on, message, since_ts, set_by }) =>
          on ? (
            <Notice tone="warn" title={`On since ${since_ts === null ? "a while" : exactTime(since_ts)}`}>
              People read: {message} {set_by && `Begun by ${set_by}.`}
            </Notice>
          ) : (
            <p>Off: people can read and write.</p>
          )
        }
      </Shown>
    </Section>
  );
}

function beginMaintenance(): Act {
  return {
    title: "Begin maintenance?",
    consequence:
      "Within five seconds nobody on this server can send, join or change anything. What is on its way is still written.",
    label: "Begin",
    isDangerous: true,
    asksReason: true,
    fields: [
      {
        name: "message",
        label: "What people read",
        initial: "We are working on the server. Messages can be sent again soon.",
      },
      { name: "retry", label: "Clients ask again after (seconds)", kind: "number", initial: "30" },
    ],
    run: ({ message, retry, reason }) =>
      call("/system/maintenance/begin", { method: "POST", body: { message, retry_after_s: Number(retry), reason } }),
    done: "Maintenance has begun.",
    undo: () => call("/system/maintenance/end", { method: "POST", body: { reason: "Taken back" } }),
  };
}

function endMaintenance(): Act {
  return {
    title: "End maintenance?",
    consequence: "Within five seconds everybody can write again.",
    label: "End",
    run: () => call("/system/maintenance/end", { method: "POST", body: {} }),
    done: "Maintenance has ended.",
  };
}

const processColumns: SimpleTableProps<Process>["columns"] = [
  { id: "host", label: "Host", value: ({ host }) => host },
  { id: "roles", label: "Roles", value: ({ roles }) => roles.join(", ") },
  {
    id: "version",
    label: "Version",
    value: ({ version }) => version,
    cell: ({ version, is_behind }) => (
      <>
        {version} {is_behind && <StatusTag state="behind" />}
      </>
    ),
  },
  {
    id: "started",
    label: "Runs for",
    value: ({ started_ts }) => started_ts,
    cell: ({ started_ts }) => <Time at_ms={started_ts} />,
  },
  { id: "seen", label: "Last heard", value: ({ seen_ts }) => seen_ts, cell: ({ seen_ts }) => <Time at_ms={seen_ts} /> },
  {
    id: "behind",
    label: "Behind the log",
    value: ({ behind_entries }) => behind_entries,
    cell: ({ behind_entries }) => (behind_entries === null ? "–" : `${grouped(behind_entries)} entries`),
    atEnd: true,
  },
  {
    id: "clock",
    label: "Clock",
    value: ({ clock_ahead_ms }) => clock_ahead_ms,
    cell: ({ clock_ahead_ms }) =>
      clock_ahead_ms === null ? "–" : `${clock_ahead_ms > 0 ? "+" : ""}${Math.round(clock_ahead_ms)} ms`,
    atEnd: true,
  },
];

function Processes() {
  const processes = useAnswer<{ items: Process[] }>("/system/processes", { every_ms: LOOK_MS });
  return (
    <Section title="Processes">
      <Shown answer={processes}>
        {({ items }) => (
          <SimpleTable
            label="Processes"
            items={items}
            columns={processColumns}
            rowId={({ process }) => String(process)}
          />
        )}
      </Shown>
    </Section>
  );
}

type Queue = Queues["items"][number];

const queueColumns: SimpleTableProps<Queue>["columns"] = [
  { id: "queue", label: "Queue", value: ({ queue }) => queue },
  {
    id: "waiting",
    label: "Waiting",
    value: ({ waiting }) => waiting,
    cell: ({ waiting }) => grouped(waiting),
    atEnd: true,
  },
  { id: "dead", label: "Failed", value: ({ dead }) => dead, cell: ({ dead }) => grouped(dead), atEnd: true },
  {
    id: "act",
    label: "Act",
    value: () => null,
    cell: (queue) =>
      queue.dead > 0 && (
        <>
          <ActButton variant="quiet" act={() => putAllBack(queue)}>
            Put all back
          </ActButton>
          <ActButton variant="quiet" act={() => removeAll(queue)}>
            Remove all
          </ActButton>
        </>
      ),
  },
];

function putAllBack({ queue, dead }: Queue): Act<{ put_back: number; left: number }> {
  return {
    title: `Put back what failed in ${queue}?`,
    consequence: `${count(dead, "message")} will begin anew at the end of the queue. Where the cause is still there they come back here.`,
    label: "Put back",
    run: () => call(pathOf`/system/queues/${queue}/retry-dead`, { method: "POST", body: {} }),
    says: ({ put_back, left }) =>
      `Put ${count(put_back, "message")} back.${left > 0 ? ` ${count(left, "message")} are left: put them back too.` : ""}`,
  };
}

function removeAll({ queue, dead }: Queue): Act<{ removed: number }> {
  return {
    title: `Remove what failed in ${queue}?`,
    consequence: `What people sent or read in ${count(dead, "message")} is lost with them, for good.`,
    label: "Remove",
    isDangerous: true,
    asksReason: true,
    typed: queue,
    run: ({ reason }) => call(pathOf`/system/queues/${queue}/discard-dead`, { method: "POST", body: { reason } }),
    says: ({ removed }) => `Removed ${count(removed, "message")}.`,
  };
}

function QueuesSection() {
  const queues = useAnswer<Queues>("/system/queues", { every_ms: LOOK_MS });
  return (
    <Section title="Queues between processes" {...(queues.data ? { intro: adapterOf(queues.data) } : {})}>
      <Shown answer={queues}>
        {({ items }) =>
          items.length > 0 && (
            <SimpleTable label="Queues" items={items} columns={queueColumns} rowId={({ queue }) => queue} />
          )
        }
      </Shown>
    </Section>
  );
}

function adapterOf({ adapter, handles_dead }: Queues): string {
  if (adapter === "none") return "There are none: everything runs in one process.";
  const where = adapter === "postgresql" ? "They are in PostgreSQL." : "They are in RabbitMQ.";
  return handles_dead ? where : `${where} What failed there is put back or removed all at once.`;
}
