import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { leaveSetup, useSession } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Page } from "../auth/Page.tsx";
import { ResetIdentity } from "./ResetIdentity.tsx";
import { RestoreMessages } from "./RestoreMessages.tsx";
import { ThreeWays } from "./ThreeWays.tsx";

type Stage = "ways" | "reset" | "restoring";

/** A new device gets its keys. Every failure leads back to the three ways; nothing here is a dead end. */
export function UnlockHistory() {
  const session = useSession();
  const [, navigate] = useLocation();
  const [search] = useSearchParams();
  const [stage, setStage] = useState<Stage>(search.has("reset") ? "reset" : "ways");
  if (!("client" in session)) return null;
  const leave = () => {
    leaveSetup();
    navigate("/", { replace: true });
  };
  return <UnlockStage client={session.client} stage={stage} onStage={setStage} onLeave={leave} />;
}

interface StageProps {
  client: MatrixClient;
  stage: Stage;
  onStage: (stage: Stage) => void;
  onLeave: () => void;
}

function UnlockStage({ client, stage, onStage, onLeave }: StageProps) {
  if (stage === "reset") return <ResetIdentity client={client} onBack={() => onStage("ways")} />;
  if (stage === "restoring") return <RestoreMessages client={client} onLeave={onLeave} />;
  return (
    <Page
      title="Unlock your messages"
      width="wide"
      intro="This device is new. Your encrypted messages stay locked here until it gets your keys, in one of these ways."
      footer={
        <>
          <Button variant="link" onPress={onLeave}>
            Skip for now
          </Button>
          <p>New messages work. Older ones stay locked until you come back here.</p>
        </>
      }
    >
      <ThreeWays client={client} onUnlocked={() => onStage("restoring")} onReset={() => onStage("reset")} />
    </Page>
  );
}
