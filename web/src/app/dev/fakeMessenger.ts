import { createStore } from "zustand/vanilla";
import type { Connection } from "../../models/connection/connection.ts";
import type { Me, Messenger } from "../../models/messenger.ts";
import type { Member, RoomInfo, RoomModel } from "../../models/room/model.ts";
import type { TimelineItem } from "../../models/timeline/item.ts";
import { at, EVERYONE, MARA, ROOMS } from "./people.ts";
import { fakeTimeline } from "./fakeTimeline.ts";
import { incident, replies, states } from "./scenes.ts";

export interface FakeOptions {
  connection: Connection;
  empty?: boolean;
  info?: Partial<RoomInfo>;
}

/** A messenger without a server, with the people of the design's picture. */
export function fakeMessenger(options: FakeOptions): Messenger {
  const rooms = new Map<string, RoomModel>();
  const entries = options.empty ? [] : ROOMS;
  return {
    me: createStore<Me>(() => ({ ...MARA, devices: { count: 2, allVerified: true } })),
    workspace: "Northwind",
    rooms: createStore(() => ({ loaded: true, rooms: entries })),
    connection: createStore(() => options.connection),
    outbox: createStore(() => 1),
    unsent: () => 1,
    media: {
      url: () => Promise.reject(new Error("no media here")),
      avatar: () => Promise.reject(new Error("no media here")),
    },
    room: (id) => {
      const entry = entries.find((room) => room.id === id);
      if (!entry) return null;
      const model = rooms.get(id) ?? fakeRoom(id, options);
      rooms.set(id, model);
      return model;
    },
    createRoom: () => Promise.reject(new Error("this page has no server")),
    startDirect: () => Promise.reject(new Error("this page has no server")),
    join: () => Promise.reject(new Error("this page has no server")),
    leave: () => Promise.reject(new Error("this page has no server")),
    browse: async () => ({
      rooms: [
        {
          id: "!a",
          name: "platform",
          alias: "#platform:northwind.example",
          topic: "Where the platform team answers",
          members: 42,
          joined: true,
          knockOnly: false,
        },
        { id: "!b", name: "lunch", alias: "#lunch:northwind.example", members: 1, joined: false, knockOnly: false },
      ],
      next: null,
    }),
    findPeople: async (term) => EVERYONE.filter((person) => person.name.toLowerCase().includes(term.toLowerCase())),
    markAllRead: async () => undefined,
    retryConnection: () => undefined,
  };
}

function fakeRoom(id: string, options: FakeOptions): RoomModel {
  const entry = ROOMS.find((room) => room.id === id);
  const items: TimelineItem[] = id === "!platform" ? states() : incident();
  const newFrom = id === "!incident-0412" ? (items[2]?.key ?? null) : null;
  const info: RoomInfo = {
    id,
    name: entry?.name ?? id,
    kind: entry?.kind ?? "private",
    topic: id === "!incident-0412" ? "API latency in eu-west" : "",
    membership: entry?.membership ?? "join",
    inviter: EVERYONE[3],
    encrypted: true,
    memberCount: 14,
    trust: { tone: "ok", text: "Encrypted · all verified", detail: "Every device here is confirmed by its owner." },
    typing: id === "!platform" ? "Ana Duarte and Kenji Mori are typing…" : "",
    cannotPost: null,
    can: { invite: true, rename: true, setTopic: true, kick: true, ban: true, changeRoles: true },
    ...options.info,
  };
  const main = fakeTimeline(items, { newFrom, older: id === "!release-train" ? 300 : 0 });
  return {
    id,
    info: createStore(() => info),
    ...main,
    thread: (rootId) => ({
      rootId,
      ...fakeTimeline(replies().slice(1), { newFrom: null, older: 0, head: threadHead(), after_ms: at(9, 41) }),
    }),
    members: createStore(() => ({ loaded: true, members: EVERYONE.map(member) })),
    loadMembers: async () => undefined,
    activate: () => () => undefined,
    markAllRead: () => undefined,
    invite: () => Promise.reject(new Error("this page has no server")),
    remove: () => Promise.reject(new Error("this page has no server")),
    ban: () => Promise.reject(new Error("this page has no server")),
    unban: () => Promise.reject(new Error("this page has no server")),
    setRole: () => Promise.reject(new Error("this page has no server")),
    setName: () => Promise.reject(new Error("this page has no server")),
    setTopic: () => Promise.reject(new Error("this page has no server")),
  };
}

function threadHead() {
  const root = replies()[0];
  if (!root || root.type !== "message") return [];
  return [
    { type: "message", key: root.key, item: root, continued: false } as const,
    { type: "replies", key: "replies", replies: 6 } as const,
  ];
}

function member(person: (typeof EVERYONE)[number], index: number): Member {
  const isMe = person.id === MARA.id;
  return {
    ...person,
    membership: index === 3 ? "invite" : "join",
    role: isMe ? "admin" : index === 1 ? "moderator" : "member",
    powerLevel: isMe ? 100 : 0,
    presence: index < 2 ? "online" : "offline",
    isMe,
    manageable: !isMe,
  };
}
