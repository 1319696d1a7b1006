import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useMessenger, useSnapshot } from "../../app/context.ts";
import { HOME, roomPath } from "../../models/routes.ts";
import type { RoomModel } from "../../models/room/model.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { reasonOf } from "../../ui/Toast.tsx";
import { Face } from "./Face.tsx";
import styles from "./RoomView.module.css";

/** An invite: from whom, to what, and the two answers. */
export function InviteCard({ room }: { room: RoomModel }) {
  const messenger = useMessenger();
  const info = useSnapshot(room.info);
  const [, navigate] = useLocation();
  const { busy, error, run } = useTask();
  const decline = () =>
    run("decline", async () => {
      await messenger.leave(room.id);
      navigate(HOME);
    });
  const direct = info.kind === "direct";
  return (
    <main className={styles["gate"]} aria-label={`Invite to ${info.name}`}>
      <Back />
      <div className={styles["card"]}>
        <Face
          person={{
            id: info.inviter?.id ?? info.id,
            name: info.inviter?.name ?? info.name,
            avatarMxc: info.inviter?.avatarMxc ?? info.avatarMxc,
          }}
          size={64}
        />
        <h1>
          {direct ? `${info.inviter?.name ?? "Someone"} wants to talk to you` : `You are invited to ${info.name}`}
        </h1>
        <p>
          {info.inviter ? `${info.inviter.name} (${info.inviter.id}) invited you.` : "You were invited."} {info.topic}
        </p>
        {error && <Notice tone="danger">{error}</Notice>}
        <div className={styles["cardActions"]}>
          <Button
            variant="primary"
            size="large"
            busy={busy === "accept"}
            onPress={() => void run("accept", () => messenger.join(room.id))}
          >
            {direct ? "Accept" : "Join"}
          </Button>
          <Button size="large" busy={busy === "decline"} onPress={() => void decline()}>
            Decline
          </Button>
        </div>
      </div>
    </main>
  );
}

/** A room in the address that the person is not in. */
export function JoinCard({ roomId }: { roomId: string }) {
  const messenger = useMessenger();
  const { loaded } = useSnapshot(messenger.rooms);
  const [, navigate] = useLocation();
  const { busy, error, run } = useTask();
  if (!loaded) return <main className={styles["gate"]} aria-label="Loading" />;
  const join = () => run("join", async () => navigate(roomPath(await messenger.join(roomId)), { replace: true }));
  return (
    <main className={styles["gate"]} aria-label="Not a member">
      <Back />
      <div className={styles["card"]}>
        <h1>You are not in this channel</h1>
        <p>
          {roomId.startsWith("#")
            ? `${roomId} may be open to join.`
            : "If it is open to you, you can join it. Otherwise ask a member to invite you."}
        </p>
        {error && <Notice tone="danger">{error}</Notice>}
        <div className={styles["cardActions"]}>
          <Button variant="primary" size="large" busy={busy === "join"} onPress={() => void join()}>
            Join
          </Button>
          <Button size="large" onPress={() => navigate(HOME)}>
            Back
          </Button>
        </div>
      </div>
    </main>
  );
}

function Back() {
  return (
    <Link href={HOME} className={styles["gateBack"]}>
      Back to the list
    </Link>
  );
}

/** One action at a time, with its failure as a sentence. */
function useTask() {
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const run = async (name: string, action: () => Promise<unknown>) => {
    setBusy(name);
    setError(null);
    try {
      await action();
    } catch (failure) {
      setError(reasonOf(failure));
    }
    setBusy(null);
  };
  return { busy, error, run };
}
