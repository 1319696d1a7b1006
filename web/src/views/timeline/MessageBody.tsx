import type { ReactNode } from "react";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { attempt } from "../../ui/Toast.tsx";
import type { MessageBody as Body, MessageItem } from "../../models/timeline/item.ts";
import { cx } from "../../ui/cx.ts";
import { useScope } from "./actions.ts";
import { FileCard } from "./FileCard.tsx";
import { ImageView } from "./ImageView.tsx";
import { PlayerView } from "./PlayerView.tsx";
import { RichText } from "./RichText.tsx";
import styles from "./MessageRow.module.css";

/** What the message says. `suffix` stands after the last word. */
export function MessageBody({ item, suffix }: { item: MessageItem; suffix?: ReactNode }) {
  const { body } = item;
  switch (body.kind) {
    case "text":
      return (
        <div className={cx(styles["body"], body.onlyEmoji && styles["emoji"])}>
          <RichText nodes={body.nodes} suffix={suffix} />
        </div>
      );
    case "notice":
      return (
        <div className={cx(styles["body"], styles["notice"])}>
          <RichText nodes={body.nodes} suffix={suffix} />
        </div>
      );
    case "emote":
      return (
        <div className={styles["body"]}>
          <RichText
            nodes={[{ t: "strong", c: [{ t: "text", v: item.sender.name }] }, { t: "text", v: " " }, ...body.nodes]}
            suffix={suffix}
          />
        </div>
      );
    case "image":
      return (
        <>
          <ImageView body={body} item={item} />
          <Caption body={body} />
        </>
      );
    case "video":
    case "audio":
      return (
        <>
          <PlayerView body={body} />
          <Caption body={body} />
        </>
      );
    case "file":
      return (
        <>
          <FileCard source={body.source} />
          <Caption body={body} />
        </>
      );
    case "redacted":
      return (
        <p className={styles["gone"]}>
          <Icon name="trash" size={14} />
          {redactedText(body)}
        </p>
      );
    case "undecryptable":
      return <Undecryptable body={body} item={item} />;
    case "unsupported":
      return (
        <p className={styles["gone"]}>
          <Icon name="info" size={14} />
          {body.text}
        </p>
      );
  }
}

function Caption({ body }: { body: Body }) {
  if (!("caption" in body) || !body.caption || body.caption.length === 0) return null;
  return (
    <div className={styles["body"]}>
      <RichText nodes={body.caption} />
    </div>
  );
}

function redactedText(body: Extract<Body, { kind: "redacted" }>): string {
  const who = body.by ? `Deleted by ${body.by}` : "Deleted";
  return body.reason ? `${who}: ${body.reason}` : who;
}

/** One line with the reason. It becomes the message by itself as soon as the key arrives. */
function Undecryptable({ body, item }: { body: Extract<Body, { kind: "undecryptable" }>; item: MessageItem }) {
  const { timeline } = useScope();
  return (
    <p className={styles["gone"]}>
      <Icon name={body.waiting ? "clock" : "lock"} size={14} />
      <span>{body.reason}</span>
      {body.canRetry && (
        <Button
          variant="link"
          size="compact"
          onPress={() => void attempt("Not decrypted", () => timeline.retryDecryption(item.id))}
        >
          Request again
        </Button>
      )}
    </p>
  );
}
