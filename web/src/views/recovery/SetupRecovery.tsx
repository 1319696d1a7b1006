import type { MatrixClient } from "matrix-js-sdk";
import { useEffect } from "react";
import { useLocation } from "wouter";
import { beginSetup, endSetup, retryStore, showKeyAgain, useSetupRun } from "../../models/crypto/setupRun.ts";
import type { Failure } from "../../models/session/failure.ts";
import { leaveSetup, useSession } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { Page } from "../auth/Page.tsx";
import { CheckKey } from "./CheckKey.tsx";
import { ShowKey } from "./ShowKey.tsx";
import form from "../auth/form.module.css";

/** The recovery key: shown once, checked once, done. */
export function SetupRecovery() {
  const session = useSession();
  const run = useSetupRun();
  const [, navigate] = useLocation();
  const client = "client" in session ? session.client : null;
  useEffect(() => {
    if (client) void beginSetup(client);
  }, [client]);
  if (!client) return null;
  const leave = () => {
    endSetup();
    leaveSetup();
    navigate("/", { replace: true });
  };
  switch (run.stage) {
    case "making":
      return (
        <Page title="Your recovery key" width="wide">
          <Spinner label="Making a key…" />
        </Page>
      );
    case "showing":
      return <ShowKey encoded={run.encoded} onSkip={leave} />;
    case "checking":
      return <CheckKey client={client} asked={run.asked} onSkip={leave} />;
    case "storing":
      return (
        <Page title="Storing your keys" width="wide" intro="They are encrypted in this browser before they leave it.">
          <Spinner
            label={run.step === "identity" ? "Storing your identity…" : "Starting the backup of message keys…"}
          />
        </Page>
      );
    case "failed":
      return <NotStored client={client} failure={run.failure} />;
    case "done":
      return <Done onLeave={leave} />;
  }
}

function NotStored({ client, failure }: { client: MatrixClient; failure: Failure }) {
  return (
    <Page title="The keys are not stored yet" width="wide">
      <Notice tone="danger">{failure.text}</Notice>
      <p className={form.quiet}>The recovery key that you saved stays the same.</p>
      <div className={form.row}>
        <Button variant="primary" size="large" onPress={() => void retryStore(client)} autoFocus>
          Try again
        </Button>
        <Button size="large" onPress={showKeyAgain}>
          Show the key again
        </Button>
      </div>
    </Page>
  );
}

function Done({ onLeave }: { onLeave: () => void }) {
  return (
    <Page title="You are set up" width="wide">
      <Notice tone="ok" title="Your messages can be recovered">
        On a new device, sign in and type your recovery key. Messages that you receive from now on are backed up,
        encrypted, as they arrive.
      </Notice>
      <div className={form.row}>
        <Button variant="primary" size="large" onPress={onLeave} autoFocus>
          Go to my rooms
        </Button>
      </div>
    </Page>
  );
}
