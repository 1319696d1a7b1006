import type { Member, Role, RoomInfo, RoomModel } from "../../models/room/model.ts";
import { startUserVerification } from "../../models/verification/verification.ts";
import type { MenuEntry, MenuGroups } from "../../ui/Menu.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";
import type { Removal } from "./RemoveDialog.tsx";

const ROLES: { id: Role; label: string }[] = [
  { id: "member", label: "Member" },
  { id: "moderator", label: "Moderator" },
  { id: "admin", label: "Admin" },
];

interface Context {
  member: Member;
  room: RoomModel;
  info: RoomInfo;
  onRemove: (removal: Removal) => void;
}

/** What may be done about a member: only what the own role allows. */
export function memberMenu({ member, room, info, onRemove }: Context): MenuGroups {
  const copyId = async () => {
    await navigator.clipboard.writeText(member.id);
    toast("Address copied");
  };
  const roles: MenuEntry[] =
    info.can.changeRoles && (member.manageable || member.isMe) && member.membership === "join"
      ? ROLES.map(({ id, label }) => ({
          id: `role-${id}`,
          label,
          checked: member.role === id,
          onAction: () => void (member.role !== id && attempt("Role not changed", () => room.setRole(member.id, id))),
        }))
      : [];
  const copy: MenuEntry = {
    id: "copy",
    label: "Copy address",
    icon: "copy",
    onAction: () => void attempt("Could not copy", copyId),
  };
  return [
    { entries: [...verifyEntries(member), copy] },
    { title: "Role", entries: roles },
    { entries: removals({ member, room, info, onRemove }) },
  ];
}

function verifyEntries({ id, isMe, membership }: Member): MenuEntry[] {
  if (isMe || membership !== "join") return [];
  const verify = () => void attempt("Could not ask to verify", () => startUserVerification(id));
  return [{ id: "verify", label: "Verify…", icon: "shieldCheck", onAction: verify }];
}

function removals({ member, room, info, onRemove }: Context): MenuEntry[] {
  if (member.isMe || !member.manageable) return [];
  const entries: MenuEntry[] = [];
  if (member.membership === "ban") {
    if (info.can.ban)
      entries.push({
        id: "unban",
        label: "Lift the ban",
        icon: "check",
        onAction: () => void attempt("Not lifted", () => room.unban(member.id)),
      });
    return entries;
  }
  if (info.can.kick) {
    const label = member.membership === "invite" ? "Take the invite back…" : "Remove…";
    entries.push({
      id: "remove",
      label,
      icon: "leave",
      danger: true,
      onAction: () => onRemove({ member, how: "remove" }),
    });
  }
  if (info.can.ban)
    entries.push({
      id: "ban",
      label: "Ban…",
      icon: "ban",
      danger: true,
      onAction: () => onRemove({ member, how: "ban" }),
    });
  return entries;
}
