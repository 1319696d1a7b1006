import { useState } from "react";
import { useMedia } from "../../app/useMedia.ts";
import { duration } from "../../models/format/time.ts";
import type { MessageBody } from "../../models/timeline/item.ts";
import { Button } from "../../ui/Button.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { FileCard } from "./FileCard.tsx";
import { LoadAgain } from "./LoadAgain.tsx";
import styles from "./ImageView.module.css";

type Playable = Extract<MessageBody, { kind: "video" | "audio" }>;

/** Sound or film: a file until somebody wants to play it, for it must be fetched and decrypted whole. */
export function PlayerView({ body }: { body: Playable }) {
  const [wanted, setWanted] = useState(false);
  if (wanted) return <Player body={body} />;
  const length = body.duration_ms ? ` (${duration(body.duration_ms)})` : "";
  return (
    <>
      <FileCard source={body.source} />
      <Button variant="link" size="compact" onPress={() => setWanted(true)}>{`Play${length}`}</Button>
    </>
  );
}

function Player({ body }: { body: Playable }) {
  const state = useMedia(body.source);
  if (state.phase === "loading") return <Spinner label="Loading" />;
  if (state.phase === "failed") return <LoadAgain onPress={state.retry} />;
  return body.kind === "audio" ? (
    // oxlint-disable-next-line jsx-a11y/media-has-caption -- a message brings no captions with it
    <audio className={styles["player"]} controls autoPlay src={state.url} />
  ) : (
    // oxlint-disable-next-line jsx-a11y/media-has-caption -- a message brings no captions with it
    <video className={styles["player"]} controls autoPlay src={state.url} />
  );
}
