import { useState } from "react";
import { useMessenger } from "../../app/context.ts";
import { bytes } from "../../models/format/size.ts";
import type { MediaSource } from "../../models/timeline/item.ts";
import { IconButton } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { attempt } from "../../ui/Toast.tsx";
import styles from "./FileCard.module.css";

const RUNNABLE = /\.(exe|msi|bat|cmd|com|scr|ps1|vbs|js|jar|app|dmg|sh|apk|deb|rpm|reg|lnk|html?|svg)$/i;

/** A file with its size and a download button. What can run says that nobody but the sender has checked it. */
export function FileCard({ source }: { source: MediaSource }) {
  const { media } = useMessenger();
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    await attempt("Could not download", async () => saveAs(await media.url(source), source.name));
    setBusy(false);
  };
  const detail = [
    source.size_bytes === undefined ? "" : bytes(source.size_bytes),
    RUNNABLE.test(source.name) ? "not scanned by this server" : "",
  ];
  return (
    <div className={styles["card"]}>
      <Icon name="file" className={styles["icon"] ?? ""} />
      <div className={styles["text"]}>
        <p className={styles["name"]}>{source.name}</p>
        <p className={styles["detail"]}>{detail.filter(Boolean).join(" · ") || "File"}</p>
      </div>
      {busy ? (
        <span className={styles["busy"]}>
          <Spinner size={16} label="" />
        </span>
      ) : (
        <IconButton icon="download" label={`Download ${source.name}`} size="compact" onPress={() => void download()} />
      )}
    </div>
  );
}

/** Hands a `blob:` address to the browser's download. */
export function saveAs(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
