import { call, pathOf } from "../../api.ts";
import type { Act, Values } from "../../parts/acts.ts";
import { count } from "../../parts/words.ts";
import type { TransferEffect, User } from "./shapes.ts";

type Leaver = Pick<User, "user_id">;

/** Hands the rooms that somebody administers to a successor. */
export function transferRooms(user: Leaver): Act<{ job_id: number }> {
  return {
    title: `Transfer the rooms of ${user.user_id}`,
    counts: {
      question: (values) => ({
        path: pathOf`/users/${user.user_id}/transfer`,
        query: { to: successorIn(user, values), only_sole: values["which"] === "sole" },
      }),
      says: (effect: TransferEffect, values) => sentencesOf(effect, { user, successor: successorIn(user, values) }),
      allows: ({ change }: TransferEffect, values) => successorIn(user, values) !== undefined && change > 0,
    },
    label: "Transfer rooms",
    asksReason: true,
    fields: [
      { name: "to", label: "Successor", hint: `A user id, such as @ana:${serverOf(user)}` },
      {
        name: "which",
        label: "Rooms",
        options: [
          { value: "all", label: "All that they administer" },
          { value: "sole", label: "Only those that nobody else in them administers" },
        ],
      },
    ],
    run: ({ to = "", which, reason }) =>
      call(pathOf`/users/${user.user_id}/transfer`, {
        method: "POST",
        body: { to: to.trim(), only_sole: which === "sole", reason },
      }),
    says: ({ job_id }) => `Transferring as job ${job_id}: what became of the rooms will be in the audit log.`,
  };
}

const serverOf = ({ user_id }: Leaver) => user_id.slice(user_id.indexOf(":") + 1);

/** The successor once it is typed to the end: before that the server would be asked about somebody else. */
function successorIn(user: Leaver, { to = "" }: Values): string | undefined {
  const id = to.trim();
  const end = `:${serverOf(user)}`;
  return id.startsWith("@") && id.endsWith(end) && id.length > end.length + 1 ? id : undefined;
}

interface About {
  user: Leaver;
  successor: string | undefined;
}

function sentencesOf(effect: TransferEffect, { user, successor }: About): string {
  const direct = effect.direct > 0 ? `${count(effect.direct, "direct conversation")} will be left alone.` : "";
  const replaced =
    effect.replaced > 0 ? `${count(effect.replaced, "room")} that an upgrade has replaced will be left alone.` : "";
  if (effect.rooms === 0)
    return joined(`${user.user_id} administers no room: there is nothing to transfer.`, direct, replaced);
  const atLeast = effect.is_complete ? "" : "at least ";
  const has = `${user.user_id} administers ${atLeast}${count(effect.rooms, "room")}, ${effect.sole} of them alone.`;
  if (successor === undefined) return joined(has, direct, replaced);
  return joined(has, ...changes(effect, successor), ...ofOneself(effect), direct, replaced);
}

function changes({ change, invite, already, refused, refused_rooms }: TransferEffect, successor: string): string[] {
  const whys = [...new Set(refused_rooms.map(({ why }) => why))].slice(0, 3);
  return [
    change === 0
      ? "Nothing would change."
      : `${successor} will become an administrator of ${count(change, "room")}${invite > 0 ? `, and be invited to ${invite} of them` : ""}. Nobody loses any power.`,
    already > 0 ? `${successor} administers ${already} of them already.` : "",
    refused > 0 ? `${count(refused, "room")} can not be changed: ${whys.join(" ")}` : "",
  ];
}

/** Power over rooms that somebody gives themselves is never given by the way. */
function ofOneself({ to_self, change }: TransferEffect): string[] {
  if (!to_self || change === 0) return [];
  return [
    "The successor is you: you will have all power in these rooms, and read what is written in them once you are in. Their history and the audit log will say so.",
  ];
}

const joined = (...sentences: string[]) => sentences.filter((sentence) => sentence !== "").join(" ");
