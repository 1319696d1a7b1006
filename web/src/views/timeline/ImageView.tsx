import { lazy, Suspense, useState } from "react";
import { useMedia } from "../../app/useMedia.ts";
import type { ImageBody, MessageItem } from "../../models/timeline/item.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import styles from "./ImageView.module.css";

const Lightbox = lazy(async () => ({ default: (await import("./Lightbox.tsx")).Lightbox }));

const MAX_WIDTH = 480;
const MAX_HEIGHT = 320;

/** A picture in a box that has its size before the picture is there, so that nothing moves. A press shows it large. */
export function ImageView({ body, item }: { body: ImageBody; item: MessageItem }) {
  const state = useMedia(body.preview);
  const [open, setOpen] = useState(false);
  const { width, height } = fit(body);
  return (
    <>
      <button
        type="button"
        className={styles["box"]}
        style={{ width, aspectRatio: `${width} / ${height}` }}
        aria-label={state.phase === "failed" ? undefined : `Picture ${body.full.name}, show large`}
        onClick={() => (state.phase === "failed" ? state.retry() : setOpen(true))}
      >
        {state.phase === "ready" && <img src={state.url} alt={body.full.name} draggable={false} />}
        {state.phase === "loading" && <Spinner />}
        {state.phase === "failed" && (
          <span className={styles["failed"]}>
            <Icon name="image" />
            Could not load · try again
          </span>
        )}
      </button>
      {open && (
        <Suspense>
          <Lightbox body={body} item={item} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function fit(body: ImageBody): { width: number; height: number } {
  const limit = body.sticker ? 160 : MAX_WIDTH;
  const scale = Math.min(1, limit / body.width, MAX_HEIGHT / body.height);
  return { width: Math.max(40, Math.round(body.width * scale)), height: Math.max(24, Math.round(body.height * scale)) };
}
