/**
 * Which members clients that load them lazily have, as far as this process remembers: who is forgotten is told once more. What an
 * answer tells counts once the client shows its token. MSC4186, "Lazy loaded memberships".
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../../bounded.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";

/** The positions of membership events, by room and member. */
type Told = Map<string, number>;

interface Memory {
  /** The token that the client showed last. */
  pos: string;
  told: Told;
  /** What the answer with this token tells beyond it. */
  next: { pos: string; told: Told } | undefined;
}

export interface ToldMembers {
  /** Begins an answer for a client that shows this token; undefined: it has nothing. */
  begin(connection: string, pos: string | undefined): AnswerMembers;
}

export interface AnswerMembers {
  /** Whether the client has this membership; if not, it is told with this answer. */
  isNew(member: LogEntry): boolean;
  /** The answer goes out with this token. */
  end(pos: string): void;
}

export function openToldMembers(): ToldMembers {
  const memories = new LRUCache<string, Memory>(atMost(limits.lazyMembers_sessions));

  return {
    begin(connection, pos) {
      const memory = recall(memories.get(connection), pos);
      const adding: Told = new Map();
      return {
        isNew(member) {
          const name = `${member.roomId} ${member.stateKey}`;
          if ((adding.get(name) ?? memory.told.get(name)) === member.position) return false;
          adding.set(name, member.position);
          return true;
        },
        end(next) {
          memories.set(connection, { ...memory, next: { pos: next, told: adding } });
        },
      };
    },
  };
}

function recall(memory: Memory | undefined, pos: string | undefined): Memory {
  if (pos === undefined || !memory) return { pos: pos ?? "", told: new Map(), next: undefined };
  if (memory.pos === pos) return memory;
  if (memory.next?.pos !== pos) return { pos, told: new Map(), next: undefined };
  const { told } = memory;
  if (told.size > limits.slidingMembers_members) told.clear();
  for (const [name, position] of memory.next.told) told.set(name, position);
  return { pos, told, next: undefined };
}
