import { call, pathOf } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import type { Act, Values } from "../../parts/acts.ts";
import { count } from "../../parts/words.ts";
import { nameOf, type Room, type RoomEffect } from "./shapes.ts";

type Named = Pick<Room, "room_id" | "name" | "canonical_alias">;

/** What an act on a room would reach, counted now. */
function Effect({ roomId, children }: { roomId: string; children: (effect: RoomEffect) => string }) {
  const { data, isError } = useAnswer<RoomEffect>(pathOf`/rooms/${roomId}/effect`);
  if (isError) return "The server did not say what this would reach.";
  return data ? children(data) : "Counting what this reaches…";
}

function setBlocked(roomId: string, isBlocked: boolean, reason?: string): Promise<unknown> {
  return isBlocked
    ? call(pathOf`/rooms/${roomId}/block`, { method: "POST", body: { reason } })
    : call(pathOf`/rooms/${roomId}/block`, { method: "DELETE" });
}

export function blockRooms(rooms: readonly Named[]): Act {
  const [first] = rooms;
  const what = rooms.length === 1 && first ? nameOf(first) : count(rooms.length, "room");
  return {
    title: `Block ${what}?`,
    consequence: `Nobody can join, knock or be invited any more. Whoever is in ${rooms.length === 1 ? "it" : "them"} stays.`,
    label: "Block",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => oneByOne(rooms, ({ room_id }) => setBlocked(room_id, true, reason)),
    done: `Blocked ${what}.`,
    undo: () => oneByOne(rooms, ({ room_id }) => setBlocked(room_id, false)),
  };
}

export function unblockRoom(room: Named): Act {
  return {
    title: `Let people into ${nameOf(room)} again?`,
    consequence: "It can be joined as its own rules say.",
    label: "Unblock",
    run: () => setBlocked(room.room_id, false),
    done: `Unblocked ${nameOf(room)}.`,
  };
}

export function makeAdministrator(room: Named): Act<{ acted_as: string; invited: boolean }> {
  return {
    title: `Make somebody an administrator of ${nameOf(room)}`,
    consequence:
      "A member who has the power acts in their name, and the room's history says so. Who is not in the room is invited first. If you name yourself, the audit log says that too.",
    label: "Make administrator",
    fields: [{ name: "user_id", label: "User id", hint: "Such as @ana:example.org" }],
    asksReason: true,
    run: ({ user_id = "", reason }) =>
      call(pathOf`/rooms/${room.room_id}/administrators`, {
        method: "POST",
        body: { user_id: user_id.trim(), reason },
      }),
    says: ({ acted_as, invited }) => `Done in the name of ${acted_as}${invited ? "; the person is invited" : ""}.`,
  };
}

export function archiveRoom(room: Named): Act<{ acted_as: string }> {
  return {
    title: `Archive ${nameOf(room)}?`,
    consequence: (
      <Effect roomId={room.room_id}>
        {({ members }) =>
          `${count(members, "member")} can read on, and only its administrators can write. They can change that back.`
        }
      </Effect>
    ),
    label: "Archive",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => call(pathOf`/rooms/${room.room_id}/archive`, { method: "POST", body: { reason } }),
    says: ({ acted_as }) => `Archived in the name of ${acted_as}.`,
  };
}

export function unpublishRoom(room: Named): Act {
  return {
    title: `Take ${nameOf(room)} out of the directory?`,
    consequence: "Nobody finds it there any more. Members and addresses stay as they are.",
    label: "Unpublish",
    run: () => call(pathOf`/rooms/${room.room_id}/publication`, { method: "DELETE" }),
    done: `${nameOf(room)} is no longer in the directory.`,
  };
}

export function shutDownRoom(room: Named): Act<{ job_id: number }> {
  return {
    title: `Shut down ${nameOf(room)}?`,
    consequence: (
      <Effect roomId={room.room_id}>
        {({ members, aliases }) =>
          `${count(members, "member")} will leave and ${count(aliases, "address", "addresses")} will go. Nobody can be put back by us: each must be invited again.`
        }
      </Effect>
    ),
    label: "Shut down",
    isDangerous: true,
    asksReason: true,
    fields: [
      { name: "message", label: "What members are told", isOptional: true },
      {
        name: "end",
        label: "And then",
        options: [
          { value: "block", label: "Block it", hint: "Nobody comes back in; what was said stays in the database." },
          { value: "leave", label: "Leave it open", hint: "It can be joined as its rules say." },
        ],
      },
    ],
    typed: nameOf(room),
    run: ({ reason, message = "", end }: Values) =>
      call(pathOf`/rooms/${room.room_id}/shutdown`, {
        method: "POST",
        body: { reason, block: end === "block", ...(message.trim() ? { message: message.trim() } : {}) },
      }),
    says: ({ job_id }) => `Shutting down as job ${job_id}.`,
  };
}

export function purgeRoom(room: Named): Act<{ job_id: number }> {
  return {
    title: `Purge ${nameOf(room)}?`,
    consequence: (
      <Effect roomId={room.room_id}>
        {({ events, held }) =>
          held
            ? "A legal hold keeps this room: release it first."
            : `${count(events, "event")} will be taken out of the database. Only a backup brings them back.`
        }
      </Effect>
    ),
    label: "Purge",
    isDangerous: true,
    asksReason: true,
    typed: nameOf(room),
    run: ({ reason }) =>
      call(pathOf`/rooms/${room.room_id}/purge`, { method: "POST", body: { reason, confirm: room.room_id } }),
    says: ({ job_id }) => `Purging as job ${job_id}.`,
  };
}

/** One after the other: the first that is refused ends it, with the server's sentence. */
async function oneByOne<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) await act(item);
}
