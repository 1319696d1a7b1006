/** The streams of this process that are signed in: by person, and whose person is in which room. */
import type { Follower } from "./follower.ts";

export interface Registry {
  add(follower: Follower): void;
  remove(follower: Follower): void;
  ofUser(userId: string): ReadonlySet<Follower>;
  /**
   * Notes the rooms that a person is in. To be called before a follower takes part in the rounds; a membership that changes later
   * is news of the person's own, with which all their followers leave the rounds and come here again.
   */
  settle(userId: string, roomIds: ReadonlySet<string>): void;
  /** The streams of everybody who is in the room. Most rooms of a large server have none here, and then it costs one look. */
  inRoom(roomId: string): Iterable<Follower>;
  /** The rooms in which somebody is who has a stream here. */
  rooms(): Iterable<string>;
  count(): number;
  all(): Iterable<Follower>;
}

interface Person {
  streams: Set<Follower>;
  rooms: ReadonlySet<string>;
}

const none: ReadonlySet<Follower> = new Set();
const nowhere: ReadonlySet<string> = new Set();

export function createRegistry(): Registry {
  const people = new Map<string, Person>();
  const byRoom = new Map<string, Set<Person>>();
  let count = 0;

  function settle(person: Person, roomIds: ReadonlySet<string>): void {
    for (const roomId of person.rooms) if (!roomIds.has(roomId)) moveOut(byRoom, roomId, person);
    for (const roomId of roomIds) if (!person.rooms.has(roomId)) moveIn(byRoom, roomId, person);
    person.rooms = roomIds;
  }

  return {
    add(follower) {
      const { userId } = follower.session;
      const person = people.get(userId) ?? { streams: new Set(), rooms: nowhere };
      people.set(userId, person);
      person.streams.add(follower);
      count += 1;
    },
    remove(follower) {
      const { userId } = follower.session;
      const person = people.get(userId);
      if (!person?.streams.delete(follower)) return;
      count -= 1;
      if (person.streams.size > 0) return;
      settle(person, nowhere);
      people.delete(userId);
    },
    ofUser: (userId) => people.get(userId)?.streams ?? none,
    settle(userId, roomIds) {
      const person = people.get(userId);
      if (person) settle(person, roomIds);
    },
    *inRoom(roomId) {
      for (const { streams } of byRoom.get(roomId) ?? []) yield* streams;
    },
    rooms: () => byRoom.keys(),
    count: () => count,
    *all() {
      for (const { streams } of people.values()) yield* streams;
    },
  };
}

function moveIn(byRoom: Map<string, Set<Person>>, roomId: string, person: Person): void {
  const here = byRoom.get(roomId);
  if (here) here.add(person);
  else byRoom.set(roomId, new Set([person]));
}

function moveOut(byRoom: Map<string, Set<Person>>, roomId: string, person: Person): void {
  const here = byRoom.get(roomId);
  here?.delete(person);
  if (here?.size === 0) byRoom.delete(roomId);
}
