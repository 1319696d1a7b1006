import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useMessenger } from "../../app/context.ts";
import { count } from "../../models/format/words.ts";
import type { PublicRoom, PublicRooms } from "../../models/messenger.ts";
import { roomPath } from "../../models/routes.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { SkeletonRows } from "../../ui/Skeleton.tsx";
import { attempt, reasonOf } from "../../ui/Toast.tsx";
import styles from "./Browse.module.css";

const SEARCH_AFTER_MS = 200;

/** The channels of this server that anyone may join. */
export function Browse({ onClose }: { onClose: () => void }) {
  const [term, setTerm] = useState("");
  const { answer, error, more } = useDirectory(term);
  return (
    <Dialog title="Browse channels" isOpen onClose={onClose} size="l">
      <Field
        label="Find a channel"
        hideLabel
        placeholder="Find a channel by name or topic"
        value={term}
        onChange={setTerm}
        autoFocus
      />
      {error && <Notice tone="danger">{error}</Notice>}
      {!answer && !error && <SkeletonRows rows={5} shape="line" />}
      {answer?.rooms.length === 0 && (
        <p className={styles["none"]}>{term ? "No open channel of this name." : "There are no open channels yet."}</p>
      )}
      <ul className={styles["list"]}>
        {answer?.rooms.map((room) => (
          <DirectoryRow key={room.id} room={room} onClose={onClose} />
        ))}
      </ul>
      {answer?.next && <Button onPress={more}>Show more</Button>}
    </Dialog>
  );
}

function DirectoryRow({ room, onClose }: { room: PublicRoom; onClose: () => void }) {
  const messenger = useMessenger();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const enter = async () => {
    setBusy(true);
    await attempt("Could not join", async () => {
      const id = room.joined ? room.id : await messenger.join(room.id);
      onClose();
      navigate(roomPath(id));
    });
    setBusy(false);
  };
  const facts = [count(room.members, "member"), room.alias].filter(Boolean).join(" · ");
  return (
    <li className={styles["row"]}>
      <Icon name="hash" />
      <div className={styles["text"]}>
        <p className={styles["name"]}>{room.name}</p>
        {room.topic && <p className={styles["topic"]}>{room.topic}</p>}
        <p className={styles["facts"]}>{facts}</p>
      </div>
      <Button size="compact" variant={room.joined ? "quiet" : "secondary"} busy={busy} onPress={() => void enter()}>
        {room.joined ? "Open" : "Join"}
      </Button>
    </li>
  );
}

/** The first page for the term when typing rests, and further pages on demand. */
function useDirectory(term: string) {
  const messenger = useMessenger();
  const [answer, setAnswer] = useState<PublicRooms | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    const ask = async () => {
      try {
        const page = await messenger.browse(term.trim());
        if (current) setAnswer(page);
        if (current) setError(null);
      } catch (failure) {
        if (current) setError(reasonOf(failure));
      }
    };
    const timer = setTimeout(() => void ask(), SEARCH_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [messenger, term]);
  const more = () => {
    const from = answer?.next;
    if (!from) return;
    messenger.browse(term.trim(), from).then(
      (page) => setAnswer({ rooms: [...answer.rooms, ...page.rooms], next: page.next }),
      (failure: unknown) => setError(reasonOf(failure)),
    );
  };
  return { answer, error, more };
}
