import { progress } from "../../models/format/size.ts";
import type { UploadItem } from "../../models/timeline/item.ts";
import { fullTime, timeOfDay } from "../../models/format/time.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { Icon } from "../../ui/Icon.tsx";
import { attempt } from "../../ui/Toast.tsx";
import { Face } from "../room/Face.tsx";
import { useScope } from "./actions.ts";
import card from "./FileCard.module.css";
import row from "./MessageRow.module.css";

/** A file of one's own on its way: what is done to it, how far it is, and a way to stop it. */
export function UploadRow({ item, continued }: { item: UploadItem; continued: boolean }) {
  return (
    <div className={cx(row["row"], !continued && row["first"])}>
      <div className={row["gutter"]}>
        {!continued && <Face person={item.sender} size={36} className={row["face"]} />}
      </div>
      <div className={row["main"]}>
        {!continued && (
          <p className={row["head"]}>
            <span className={row["name"]}>{item.sender.name}</span>
            <time className={row["time"]} title={fullTime(item.at_ms)}>
              {timeOfDay(item.at_ms)}
            </time>
          </p>
        )}
        <UploadCard item={item} />
      </div>
    </div>
  );
}

function UploadCard({ item }: { item: UploadItem }) {
  const { timeline } = useScope();
  const failed = item.phase === "failed";
  const waits = item.phase === "waiting" || item.phase === "queued";
  const percent = item.size_bytes === 0 ? 0 : Math.min(100, Math.round((item.sent_bytes / item.size_bytes) * 100));
  return (
    <div className={card["card"]}>
      <Icon name="file" className={card["icon"] ?? ""} />
      <div className={card["text"]}>
        <p className={card["name"]}>{item.name}</p>
        <p className={cx(card["detail"], failed && card["failure"], waits && card["waiting"])}>
          {waits && <Icon name="clock" size={12} />}
          {stateText(item)}
        </p>
        {item.inTabOnly && (
          <p className={cx(card["detail"], card["waiting"])}>
            <Icon name="alert" size={12} />
            Not kept: it is lost when this page is closed
          </p>
        )}
        {!failed && !waits && (
          <div
            className={card["bar"]}
            role="progressbar"
            aria-label={`Uploading ${item.name}`}
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
          >
            <span style={{ width: `${percent}%` }} />
          </div>
        )}
      </div>
      {failed && (
        <Button variant="link" size="compact" onPress={() => void attempt("Not sent", () => timeline.retry(item.key))}>
          Retry
        </Button>
      )}
      <IconButton
        icon="close"
        label={failed ? `Discard ${item.name}` : `Cancel ${item.name}`}
        size="compact"
        iconSize={14}
        onPress={() => timeline.cancelUpload(item.key)}
      />
    </div>
  );
}

function stateText(item: UploadItem): string {
  switch (item.phase) {
    case "queued":
      return "Waits for what is before it";
    case "waiting":
      return "Will send when you are back online";
    case "preparing":
      return "Preparing";
    case "encrypting":
      return "Encrypting";
    case "uploading":
      return `${item.encrypted ? "Encrypted, uploading" : "Uploading"} · ${progress(item.sent_bytes, item.size_bytes)}`;
    case "sending":
      return "Sending";
    case "failed":
      return `Not sent${item.failure ? `: ${item.failure}` : ""}`;
  }
}
