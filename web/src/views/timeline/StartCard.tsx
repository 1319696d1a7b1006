import { useSnapshot } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import { count } from "../../models/format/words.ts";
import type { RoomInfo, RoomModel } from "../../models/room/model.ts";
import { Button } from "../../ui/Button.tsx";
import { Face } from "../room/Face.tsx";
import styles from "./Rows.module.css";

/** The beginning of a room's history: what it is, who can read it, and what to do next. */
export function StartCard({ room }: { room: RoomModel }) {
  const info = useSnapshot(room.info);
  const { open } = useLayers();
  return (
    <div className={styles["start"]}>
      <Face person={{ id: info.peer ?? info.id, name: info.name, avatarMxc: info.avatarMxc }} size={40} />
      <h2>{info.kind === "direct" ? info.name : `This is the start of ${info.name}`}</h2>
      <p>{readers(info)}</p>
      {info.kind !== "direct" && info.can.invite && (
        <div className={styles["startActions"]}>
          <Button icon="personAdd" onPress={() => open({ layer: "invite", roomId: info.id })}>
            Add people
          </Button>
        </div>
      )}
    </div>
  );
}

function readers(info: RoomInfo): string {
  if (info.kind === "direct") {
    return info.encrypted
      ? "Only the people of this conversation can read it; the server cannot."
      : "This conversation is not encrypted.";
  }
  const who = count(info.memberCount, "person", "people");
  const open = info.kind === "public" ? "Anyone on this server can join and read it." : "Only its members can read it.";
  return `${open} ${info.encrypted ? "It is encrypted: the server cannot read it." : "It is not encrypted."} Members: ${who}.`;
}
