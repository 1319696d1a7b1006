import { type DragEvent, type ReactNode, useState } from "react";
import { Icon } from "../../ui/Icon.tsx";
import styles from "./RoomView.module.css";

/** Takes files that are dropped on the room. `onFiles` is null where one cannot write. */
export function DropZone({ onFiles, children }: { onFiles: ((files: File[]) => void) | null; children: ReactNode }) {
  const [over, setOver] = useState(false);
  const accepts = (event: DragEvent) => onFiles !== null && event.dataTransfer.types.includes("Files");
  const onDragOver = (event: DragEvent) => {
    if (!accepts(event)) return;
    event.preventDefault();
    setOver(true);
  };
  const onDrop = (event: DragEvent) => {
    if (!accepts(event)) return;
    event.preventDefault();
    setOver(false);
    onFiles?.([...event.dataTransfer.files]);
  };
  const onDragLeave = (event: DragEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
  };
  return (
    <div className={styles["drop"]} onDragOver={onDragOver} onDragLeave={onDragLeave} onDrop={onDrop}>
      {children}
      {over && (
        <div className={styles["dropHint"]}>
          <Icon name="attach" size={24} />
          <p>Drop to send here</p>
        </div>
      )}
    </div>
  );
}
