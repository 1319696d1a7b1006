import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { Link } from "@tanstack/react-router";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { count, grouped, sentenceOf, sizeOf } from "../../parts/words.ts";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import styles from "./Policy.module.css";
import { daysOf, lengthIn, type Policy, type Simulation, type StoredPolicy, typedDays } from "./shapes.ts";

const fields: readonly { name: keyof Policy; label: string; hint: string }[] = [
  { name: "max_lifetime_ms", label: "Messages are kept for (days)", hint: "Empty: for ever." },
  { name: "room_least_ms", label: "A room may ask for no less than (days)", hint: "Empty: any." },
  { name: "room_most_ms", label: "A room may ask for no more than (days)", hint: "Empty: any." },
  { name: "media_lifetime_ms", label: "Files that nothing points to (days)", hint: "Empty: for ever." },
];

/** The server's policy: what counts, and what another one would delete. */
export function PolicyTab() {
  const policy = useAnswer<StoredPolicy>("/retention");
  return (
    <Section
      title="The server's policy"
      intro={policy.data && saysWhich(policy.data)}
      action={
        policy.data?.enabled && (
          <>
            <ActButton act={disable}>Delete nothing any more</ActButton>
            <ActButton act={runNow}>Run now</ActButton>
          </>
        )
      }
    >
      <Shown answer={policy}>{(data) => <Editor key={data.changed_ts} stored={data} />}</Shown>
      <p className={styles["note"]}>
        A run deletes once a day, never what a legal hold keeps and never what a room is made of. What members have on
        their own devices follows with their next sync.
      </p>
    </Section>
  );
}

function saysWhich({ enabled, max_lifetime_ms, changed_ts, changed_by }: StoredPolicy): string {
  if (!enabled) return "None is set: nothing is ever deleted by its age.";
  const since = changed_ts === null ? "" : ` Set ${exactTime(changed_ts)} by ${changed_by}.`;
  return max_lifetime_ms === null
    ? `Messages are kept for ever, unless their room says otherwise.${since}`
    : `Messages are kept for ${daysOf(max_lifetime_ms)}.${since}`;
}

/** Lengths in days as they are typed, and what they would do before they do it. */
function Editor({ stored }: { stored: StoredPolicy }) {
  const [typed, setTyped] = useState(() =>
    Object.fromEntries(fields.map(({ name }) => [name, typedDays(stored[name])])),
  );
  const [found, setFound] = useState<{ typed: typeof typed; simulation: Simulation } | null>(null);
  const [refusal, setRefusal] = useState("");
  const policy = Object.fromEntries(fields.map(({ name }) => [name, lengthIn(typed[name])]));
  const simulate = async (event: FormEvent) => {
    event.preventDefault();
    try {
      setRefusal("");
      setFound({ typed, simulation: await call<Simulation>("/retention/simulate", { method: "POST", body: policy }) });
    } catch (error) {
      setFound(null);
      setRefusal(sentenceOf(error));
    }
  };
  const simulation = found?.typed === typed ? found.simulation : null;
  return (
    <Form className={styles["editor"] ?? ""} onSubmit={(event) => void simulate(event)}>
      <div className={styles["fields"]}>
        {fields.map(({ name, label, hint }) => (
          <Field
            key={name}
            label={label}
            hint={hint}
            type="number"
            value={typed[name] ?? ""}
            onChange={(value) => setTyped({ ...typed, [name]: value })}
          />
        ))}
      </div>
      <div className={styles["buttons"]}>
        <Button type="submit">Simulate</Button>
        {simulation && (
          <ActButton size="default" variant="primary" act={() => setPolicy(policy, simulation)}>
            Set this policy
          </ActButton>
        )}
      </div>
      {refusal && <Notice tone="danger">{refusal}</Notice>}
      {simulation && <Outcome simulation={simulation} />}
    </Form>
  );
}

function sentenceOfSimulation({ messages, rooms, files, bytes, oldest_ts }: Simulation): string {
  const oldest = oldest_ts === null ? "" : ` The oldest is of ${exactTime(oldest_ts)}.`;
  return `Would delete ${count(messages, "message")} in ${count(rooms, "room")}, and up to ${count(files, "file")} (${sizeOf(bytes)}).${oldest}`;
}

const columns: SimpleTableProps<Simulation["largest"][number]>["columns"] = [
  {
    id: "room",
    label: "Room",
    value: ({ room_id }) => room_id,
    cell: ({ room_id }) => <Link to={pathOf`/rooms/${room_id}`}>{room_id}</Link>,
  },
  { id: "messages", label: "Messages", value: ({ messages }) => grouped(messages), atEnd: true },
  { id: "kept", label: "Kept for", value: ({ lifetime_ms }) => daysOf(lifetime_ms) },
  { id: "source", label: "Says who", value: ({ source }) => source },
];

function Outcome({ simulation }: { simulation: Simulation }) {
  return (
    <div role="status">
      <Notice tone={simulation.messages + simulation.files > 0 ? "warn" : "ok"}>
        {sentenceOfSimulation(simulation)}
      </Notice>
      {simulation.largest.length > 0 && (
        <SimpleTable
          label="Rooms that would lose the most"
          items={simulation.largest}
          rowId={({ room_id }) => room_id}
          columns={columns}
        />
      )}
    </div>
  );
}

function setPolicy(policy: Record<string, number | null>, simulation: Simulation): Act {
  return {
    title: "Set this policy?",
    consequence: `${sentenceOfSimulation(simulation)} It begins with the next daily run, and only a backup brings anything back.`,
    label: "Set the policy",
    isDangerous: true,
    asksReason: true,
    typed: simulation.messages + simulation.files > 0 ? "delete" : undefined,
    run: ({ reason }) => call("/retention", { method: "PUT", body: { ...policy, reason } }),
    done: "The policy is set.",
  };
}

function disable(): Act {
  return {
    title: "Delete nothing by its age any more?",
    consequence: "What is there stays, until a policy is set again.",
    label: "Delete nothing any more",
    asksReason: true,
    run: ({ reason }) => call("/retention/disable", { method: "POST", body: { reason } }),
    done: "Nothing is deleted by its age any more.",
  };
}

function runNow(): Act<{ job_id: number }> {
  return {
    title: "Delete now what is over its time?",
    consequence: "What the daily run would delete goes now. Only a backup brings it back.",
    label: "Run now",
    isDangerous: true,
    asksReason: true,
    typed: "delete",
    run: ({ reason }) => call("/retention/run", { method: "POST", body: { reason } }),
    says: ({ job_id }) => `Running as job ${job_id}.`,
  };
}
