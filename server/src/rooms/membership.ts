/** What happens to a person's memberships when it is not the person who asks, room by room. */
import type { Context } from "../context.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { memberContent, memberProposal } from "./member-body.ts";
import type { Membership } from "./state.ts";
import { submit, type Wanted } from "./submit.ts";

/**
 * Takes the person out of every room that they are in, are invited to or knock on: for an account that ends. A ban stays,
 * as does what they sent.
 */
export async function leaveAllRooms(ctx: Context, userId: string): Promise<void> {
  const proposal = memberProposal(userId, userId, memberContent("leave", {}));
  await submitToEach(ctx, {
    roomIds: await roomsWith(ctx, userId, ["join", "invite", "knock"]),
    propose: () => proposal,
  });
}

/** The rooms in which the person has one of these memberships. */
export async function roomsWith(ctx: Context, userId: string, wanted: readonly Membership[]): Promise<string[]> {
  const memberships = await ctx.rooms.memberships(userId);
  return [...memberships].filter(([, { membership }]) => wanted.includes(membership)).map(([roomId]) => roomId);
}

/**
 * Puts one event into each of the rooms, several rooms at a time. A room that does not let it in any more is passed over:
 * the person left it meanwhile. Anything else is thrown, and then some rooms may have the event and others not.
 */
export async function submitToEach(
  ctx: Context,
  { roomIds, propose }: { roomIds: readonly string[]; propose: Wanted["propose"] },
): Promise<void> {
  for (let start = 0; start < roomIds.length; start += limits.fanOut_rooms) {
    const some = roomIds.slice(start, start + limits.fanOut_rooms);
    await Promise.all(some.map((roomId) => submit(ctx, { roomId, propose }).catch(passOverRefusal)));
  }
}

function passOverRefusal(thrown: unknown): void {
  if (!(thrown instanceof MatrixError && thrown.errcode === "M_FORBIDDEN")) throw thrown;
}
