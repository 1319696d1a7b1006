import type { MatrixClient } from "matrix-js-sdk";
import { useCallback } from "react";
import { loadSessions, type Session, signOutSessions } from "../../models/devices/devices.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { Section } from "./controls.tsx";
import { Facts } from "./Facts.tsx";
import { Loading } from "./Loading.tsx";
import { SessionRow } from "./SessionRow.tsx";
import type { ClientProps } from "./tabs.ts";
import { useLoaded } from "./useLoaded.ts";
import { useTrustChanges } from "./useTrustChanges.ts";
import styles from "./DevicesTab.module.css";

export function DevicesTab({ client }: ClientProps) {
  const sessions = useLoaded(useCallback(() => loadSessions(client), [client]));
  useTrustChanges(client, sessions.reload);
  return (
    <Loading loaded={sessions}>
      {(list) => {
        const here = list.find((session) => session.isCurrent);
        const others = list.filter((session) => !session.isCurrent);
        return (
          <>
            {here && <ThisDevice client={client} session={here} onChange={sessions.reload} />}
            <OtherDevices client={client} sessions={others} onChange={sessions.reload} />
          </>
        );
      }}
    </Loading>
  );
}

function ThisDevice({ client, session, onChange }: { client: MatrixClient; session: Session; onChange: () => void }) {
  return (
    <Section title="This device">
      <ul className={styles.rows}>
        <SessionRow client={client} session={session} onChange={onChange} />
      </ul>
      <Facts
        facts={[
          ["Session", <code key="id">{session.deviceId}</code>],
          ["Fingerprint", <code key="key">{inGroups(session.fingerprint ?? "")}</code>],
        ]}
      />
    </Section>
  );
}

function OtherDevices(props: { client: MatrixClient; sessions: Session[]; onChange: () => void }) {
  const { client, sessions, onChange } = props;
  const all = useSubmit("other", async () => {
    await signOutSessions(
      client,
      sessions.map(({ deviceId }) => deviceId),
    );
    onChange();
  });
  return (
    <Section
      title="Other devices"
      intro={
        sessions.length === 0
          ? "You are signed in here only."
          : "A device that you do not know may be somebody else’s: sign it out and change your password."
      }
    >
      {sessions.length > 0 && (
        <ul className={styles.rows}>
          {sessions.map((session) => (
            <SessionRow key={session.deviceId} client={client} session={session} onChange={onChange} />
          ))}
        </ul>
      )}
      {all.failure && <Notice tone="danger">{all.failure.text}</Notice>}
      {sessions.length > 1 && (
        <div>
          <Button busy={all.busy} onPress={() => all.submit()}>
            {`Sign out all ${sessions.length} other devices`}
          </Button>
        </div>
      )}
    </Section>
  );
}

/** A key in groups of four, as people read it to each other. */
function inGroups(key: string): string {
  return key.match(/.{1,4}/g)?.join(" ") ?? "";
}
