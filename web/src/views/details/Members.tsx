import { useState } from "react";
import { useSnapshot } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import type { Member, Role, RoomInfo, RoomModel } from "../../models/room/model.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { Field } from "../../ui/Field.tsx";
import { MenuButton } from "../../ui/Menu.tsx";
import { SkeletonRows } from "../../ui/Skeleton.tsx";
import { Tag } from "../../ui/Tag.tsx";
import { Face } from "../room/Face.tsx";
import { memberMenu } from "./memberMenu.ts";
import { RemoveDialog, type Removal } from "./RemoveDialog.tsx";
import styles from "./Details.module.css";

const SEARCH_FROM = 8;
const ROLES: Record<Role, string> = { admin: "Admin", moderator: "Moderator", member: "" };

/** Everyone who is in the room, invited to it or banned from it, with what may be done about it. */
export function Members({ room, info }: { room: RoomModel; info: RoomInfo }) {
  const { loaded, members } = useSnapshot(room.members);
  const { open } = useLayers();
  const [term, setTerm] = useState("");
  const [removal, setRemoval] = useState<Removal | null>(null);
  const wanted = term.trim().toLowerCase();
  const shown = members.filter((member) => `${member.name} ${member.id}`.toLowerCase().includes(wanted));
  return (
    <div className={styles["members"]}>
      {info.can.invite && (
        <Button icon="personAdd" wide onPress={() => open({ layer: "invite", roomId: room.id })}>
          Invite people
        </Button>
      )}
      {members.length >= SEARCH_FROM && (
        <Field label="Find a member" hideLabel placeholder="Find a member" value={term} onChange={setTerm} />
      )}
      {!loaded && members.length === 0 && <SkeletonRows rows={6} shape="line" />}
      <ul>
        {shown.map((member) => (
          <MemberRow key={member.id} member={member} room={room} info={info} onRemove={setRemoval} />
        ))}
      </ul>
      {loaded && shown.length === 0 && <p className={styles["none"]}>Nobody of this name</p>}
      {removal && <RemoveDialog room={room} removal={removal} onClose={() => setRemoval(null)} />}
    </div>
  );
}

interface MemberRowProps {
  member: Member;
  room: RoomModel;
  info: RoomInfo;
  onRemove: (removal: Removal) => void;
}

function MemberRow({ member, room, info, onRemove }: MemberRowProps) {
  const groups = memberMenu({ member, room, info, onRemove });
  const state =
    member.membership === "invite" ? "invited" : member.membership === "ban" ? "banned" : ROLES[member.role];
  return (
    <li className={styles["member"]}>
      <span className={styles["memberFace"]}>
        <Face person={member} size={24} />
        {member.presence === "online" && <span className={styles["online"]} title="online" />}
      </span>
      <span className={cx(styles["memberName"], member.membership !== "join" && styles["away"])} title={member.id}>
        {member.name}
        {member.isMe && " (you)"}
      </span>
      {state && <Tag>{state}</Tag>}
      {groups.some((group) => group.entries.length > 0) && (
        <MenuButton label={`Actions for ${member.name}`} groups={groups} placement="bottom end">
          {(trigger) => <IconButton {...trigger} icon="more" label={`Actions for ${member.name}`} size="compact" />}
        </MenuButton>
      )}
    </li>
  );
}
