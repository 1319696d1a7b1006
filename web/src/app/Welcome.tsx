import { useLocation } from "wouter";
import { count } from "../models/format/words.ts";
import { type RoomEntry, sections } from "../models/rooms/entry.ts";
import { roomPath } from "../models/routes.ts";
import { Button } from "../ui/Button.tsx";
import { useMessenger, useSnapshot } from "./context.ts";
import { useLayers } from "./layers.ts";
import styles from "./Shell.module.css";

/** More invitations than these are found in the list beside. */
const SHOWN = 5;

/** What stands beside a list without a room to be in: who has invited one, and the three ways to begin. */
export function Welcome() {
  const messenger = useMessenger();
  const me = useSnapshot(messenger.me);
  const { rooms } = useSnapshot(messenger.rooms);
  const { open } = useLayers();
  const invites = sections(rooms).find(({ id }) => id === "invites")?.rooms ?? [];
  const isInvited = invites.length > 0;
  return (
    <main className={styles["welcome"]}>
      <h1>Welcome, {me.name}</h1>
      {isInvited && <Invites invites={invites} />}
      <p>
        {isInvited ? "Or begin something yourself: write" : "Nothing is here yet. Write"} to someone, make a channel for
        a few people, or look at what is open to everyone.
      </p>
      <div className={styles["ways"]}>
        <Button
          variant={isInvited ? "secondary" : "primary"}
          size="large"
          icon="person"
          onPress={() => open({ layer: "direct" })}
        >
          Message someone
        </Button>
        <Button size="large" icon="plus" onPress={() => open({ layer: "create" })}>
          New channel
        </Button>
        <Button size="large" icon="search" onPress={() => open({ layer: "browse" })}>
          Browse channels
        </Button>
      </div>
    </main>
  );
}

/** Each leads to the invitation itself, which says by whom it is and asks for the answer. */
function Invites({ invites }: { invites: RoomEntry[] }) {
  const [, navigate] = useLocation();
  return (
    <>
      <p>{invites.length === 1 ? "An invitation is" : `${count(invites.length, "invitation")} are`} waiting for you.</p>
      <div className={styles["ways"]}>
        {invites.slice(0, SHOWN).map((room, index) => (
          <Button
            key={room.id}
            variant={index === 0 ? "primary" : "secondary"}
            size="large"
            icon={room.kind === "direct" ? "person" : room.kind === "public" ? "hash" : "lock"}
            onPress={() => navigate(roomPath(room.id))}
          >
            {room.kind === "direct" ? `${room.name} wants to talk to you` : `Invitation to ${room.name}`}
          </Button>
        ))}
      </div>
    </>
  );
}
