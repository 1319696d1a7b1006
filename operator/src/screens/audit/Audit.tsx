import { useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { attempt } from "../../../../web/src/ui/Toast.tsx";
import { Tag } from "../../../../web/src/ui/Tag.tsx";
import { call } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { count, grouped } from "../../parts/words.ts";
import { useKept } from "../../table/kept.ts";
import { AuditTable } from "./AuditTable.tsx";
import type { Verification } from "./shapes.ts";
import styles from "./Audit.module.css";

const STREAM_LOOK_MS = 10_000;

interface Remembered {
  position: number;
  hash: string;
  at_ms: number;
}

export default function Audit() {
  // What was right the last time is given to the next check: so it also finds entries that were cut off at the end.
  const [remembered, remember] = useKept<Remembered | null>("audit.verified", null);
  const [problem, setProblem] = useState<Verification["problem"]>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    const query = remembered ? { position: remembered.position, hash: remembered.hash } : {};
    await attempt("Could not verify", async () => {
      const found = await call<Verification>("/audit/verify", { query });
      setProblem(found.problem);
      if (found.ok) remember({ position: found.verified_to, hash: found.hash, at_ms: Date.now() });
    });
    setBusy(false);
  };
  return (
    <Screen
      title="Audit log"
      detail={<State remembered={remembered} problem={problem} />}
      action={
        <Button icon="shieldCheck" busy={busy} onPress={() => void verify()}>
          Verify
        </Button>
      }
      fills
    >
      <Stream />
      <AuditTable />
    </Screen>
  );
}

interface StreamState {
  target: string | null;
  position: number;
  end: number;
  failing_since_ts: number | null;
  error: string | null;
}

/** How far the log was streamed to another system, where it is. */
function Stream() {
  const { data } = useAnswer<StreamState>("/audit/stream", { every_ms: STREAM_LOOK_MS });
  if (!data || data.target === null) return null;
  const { target, position, end, failing_since_ts, error } = data;
  return (
    <p className={styles["stream"]}>
      Streamed to {target} up to #{grouped(position)}
      {end > position && `, ${count(end - position, "entry", "entries")} behind`}
      {failing_since_ts !== null && (
        <>
          {" "}
          <Tag tone="danger">failing</Tag> since {exactTime(failing_since_ts)}: {error}
        </>
      )}
    </p>
  );
}

function State({ remembered, problem }: { remembered: Remembered | null; problem: Verification["problem"] }) {
  if (problem)
    return (
      <span role="alert">
        <Tag tone="danger">
          Broken at #{grouped(problem.position)}: {problem.message}
        </Tag>
      </span>
    );
  if (!remembered) return "Not verified from here yet";
  return (
    <span role="status" title={exactTime(remembered.at_ms)}>
      <Tag tone="ok">Verified to #{grouped(remembered.position)}</Tag>
    </span>
  );
}
