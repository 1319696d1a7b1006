import { connect } from "./http.ts";
import { call, createRoom, joinRoom, sendRequest, type User } from "./matrix.ts";
import { messageText, uniqueTag } from "./sync-answer.ts";

/** Many rooms that the same two users share. */
export interface World {
  first: User;
  second: User;
  roomIds: string[];
}

export interface WorldPlan {
  origin: string;
  pair: readonly User[];
  rooms: number;
  progress: (text: string) => void;
}

const MESSAGES_PER_ROOM = 10;
const ROOMS_AT_ONCE = 16;

/** Creates the rooms through the API: two members and ten messages, five of each, in every room. */
export async function createWorld({ origin, pair, rooms, progress }: WorldPlan): Promise<World> {
  const [first, second] = pair;
  if (first === undefined || second === undefined) throw new RangeError("needs two users");
  const roomIds: string[] = [];
  const tag = uniqueTag();
  let next = 0;
  const work = async (): Promise<void> => {
    const connection = connect(origin);
    try {
      for (let index = next++; index < rooms; index = next++) {
        const roomId = await createRoom(connection, first, `Room ${index + 1}`);
        await joinRoom(connection, second, roomId);
        for (let message = 0; message < MESSAGES_PER_ROOM; message++) {
          const sender = message % 2 === 0 ? first : second;
          const text = messageText(tag, index * MESSAGES_PER_ROOM + message);
          await call(connection, sender, sendRequest(roomId, text));
        }
        roomIds.push(roomId);
        progress(`rooms ${roomIds.length}/${rooms}`);
      }
    } finally {
      await connection.destroy();
    }
  };
  await Promise.all(Array.from({ length: Math.min(ROOMS_AT_ONCE, rooms) }, work));
  return { first, second, roomIds };
}
