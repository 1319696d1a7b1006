/** Rules 6 to 9 and 11: who may send what, membership and power levels aside. */
import { alice, bob, carol } from "./scene.ts";
import type { Row } from "./scene.ts";
import type { Content, ProposedEvent } from "../event.ts";

const nobody: Row[] = ["invite", "leave", "ban", "knock"].map((membership) => ({
  rule: "6",
  verdict: "refuse",
  says: `a user with membership ${membership} sends nothing`,
  scene: { members: { [bob]: membership } },
  event: { sender: bob },
}));

const senderRows: Row[] = [
  {
    rule: "6",
    verdict: "allow",
    says: "a member sends messages",
    scene: { members: { [bob]: "join" } },
    event: { sender: bob },
  },
  { rule: "6", verdict: "refuse", says: "who was never in the room sends nothing", scene: {}, event: { sender: bob } },
  {
    rule: "6",
    verdict: "refuse",
    says: "a creator who has left sends nothing",
    scene: { members: { [alice]: "leave" } },
    event: {},
  },
  {
    rule: "6",
    verdict: "refuse",
    says: "the level of a user who is not in the room helps nothing",
    scene: { levels: { users: { [bob]: 100 } } },
    event: { sender: bob },
  },
  ...nobody,
  {
    rule: "7.1",
    verdict: "allow",
    says: "a third party invite takes the invite level",
    scene: {
      members: { [bob]: "join" },
      levels: { users: { [bob]: 20 }, invite: 20, state_default: 50, events: { "m.room.third_party_invite": 90 } },
    },
    event: { type: "m.room.third_party_invite", sender: bob, state_key: "token" },
  },
  {
    rule: "7.1",
    verdict: "refuse",
    says: "below it there is none, whatever events say",
    scene: {
      members: { [bob]: "join" },
      levels: { users: { [bob]: 19 }, invite: 20, events: { "m.room.third_party_invite": 0 } },
    },
    event: { type: "m.room.third_party_invite", sender: bob, state_key: "token" },
  },
  {
    rule: "6",
    verdict: "refuse",
    says: "a third party invite is a member's",
    scene: { levels: { invite: 0 } },
    event: { type: "m.room.third_party_invite", sender: bob, state_key: "token" },
  },
];

const members = { [bob]: "join", [carol]: "join" };
/** A row in which Bob sends `event` to a room with these levels; undefined for a room without any. */
function level(
  verdict: Row["verdict"],
): (says: string, levels: Content | undefined, event: Partial<ProposedEvent>) => Row {
  return (says, levels, event) => ({
    rule: "8",
    verdict,
    says,
    scene: { members, ...(levels && { levels }) },
    event: { sender: bob, ...event },
  });
}
const lets = level("allow");
const stops = level("refuse");

const powerRows: Row[] = [
  lets("messages take 0 when nothing is said", {}, {}),
  lets("messages take 0 in a room without levels", undefined, {}),
  stops("a negative level is below that", { users: { [bob]: -1 } }, {}),
  lets("events_default is for messages", { events_default: 10, users: { [bob]: 10 } }, {}),
  stops("one below events_default is not enough", { events_default: 10, users: { [bob]: 9 } }, {}),
  lets("state takes 50 when nothing is said", { users: { [bob]: 50 } }, { type: "m.room.name", state_key: "" }),
  stops("49 is not enough for state", { users: { [bob]: 49 } }, { type: "m.room.name", state_key: "" }),
  stops("state takes 50 in a room without levels", undefined, { type: "m.room.name", state_key: "" }),
  lets("state_default is for state", { state_default: 5, users: { [bob]: 5 } }, { type: "m.room.name", state_key: "" }),
  stops(
    "one below state_default is not enough",
    { state_default: 5, users: { [bob]: 4 } },
    { type: "m.room.name", state_key: "" },
  ),
  lets(
    "an event type has its own level, below the default",
    { users: { [bob]: 1 }, events: { "m.room.name": 1 } },
    { type: "m.room.name", state_key: "" },
  ),
  stops(
    "an event type has its own level, above the default",
    { users: { [bob]: 50 }, events: { "m.room.name": 51 } },
    { type: "m.room.name", state_key: "" },
  ),
  stops(
    "the level of a type counts for messages too",
    { users: { [bob]: 9 }, events: { "m.sticker": 10 } },
    { type: "m.sticker" },
  ),
  lets("users_default is for all who are not named", { users_default: 50 }, { type: "m.room.name", state_key: "" }),
  stops(
    "who is named has no share in users_default",
    { users_default: 50, users: { [bob]: 0 } },
    { type: "m.room.name", state_key: "" },
  ),
  lets("a type that objects inherit has no level of its own", { users: { [bob]: 0 } }, { type: "constructor" }),
  stops(
    "a type named __proto__ has the default level",
    { events_default: 1, users: { [bob]: 0 } },
    { type: "__proto__" },
  ),
  {
    rule: "8",
    verdict: "allow",
    says: "without levels the creator sends state",
    scene: {},
    event: { type: "m.room.name", state_key: "" },
  },
  {
    rule: "8",
    verdict: "allow",
    only: "11",
    says: "without levels the creator has 100, which suffices for all",
    scene: {},
    event: { type: "m.room.power_levels", state_key: "" },
  },
  {
    rule: "8",
    verdict: "allow",
    only: "12",
    says: "a creator has more power than any number",
    scene: { levels: { events_default: Number.MAX_SAFE_INTEGER } },
    event: {},
  },
  {
    rule: "8",
    verdict: "allow",
    only: "12",
    says: "an additional creator is a creator",
    scene: { members, creation: { additional_creators: [bob] }, levels: { events_default: Number.MAX_SAFE_INTEGER } },
    event: { sender: bob },
  },
  {
    rule: "8",
    verdict: "refuse",
    only: "12",
    says: "others are not",
    scene: { members, creation: { additional_creators: [bob] }, levels: { events_default: Number.MAX_SAFE_INTEGER } },
    event: { sender: carol },
  },
  {
    rule: "8",
    verdict: "refuse",
    only: "11",
    says: "a creator has the level that they were given",
    scene: { levels: { users: { [alice]: 9 }, events_default: 10 } },
    event: {},
  },
  {
    rule: "8",
    verdict: "refuse",
    only: "11",
    says: "version 11 knows no additional creators",
    scene: { members, creation: { additional_creators: [bob] }, levels: {} },
    event: { sender: bob, type: "m.room.name", state_key: "" },
  },
];

const stateKeyRows: Row[] = [
  {
    rule: "9",
    verdict: "allow",
    says: "a user has the state under their own id",
    scene: { members, levels: { state_default: 0 } },
    event: { sender: bob, type: "org.example.status", state_key: bob },
  },
  {
    rule: "9",
    verdict: "refuse",
    says: "nobody has the state under another's",
    scene: { members, levels: { state_default: 0 } },
    event: { sender: bob, type: "org.example.status", state_key: carol },
  },
  {
    rule: "9",
    verdict: "refuse",
    says: "not even the creator",
    scene: { members, levels: { users: { [alice]: 100 } } },
    event: { type: "org.example.status", state_key: bob },
  },
  {
    rule: "9",
    verdict: "refuse",
    says: "what begins with @ is taken for a user id",
    scene: { members },
    event: { type: "org.example.status", state_key: "@" },
  },
  {
    rule: "9",
    verdict: "allow",
    says: "other keys are anyone's",
    scene: { members, levels: { state_default: 0 } },
    event: { sender: bob, type: "org.example.status", state_key: `_${carol}` },
  },
  {
    rule: "8",
    verdict: "refuse",
    says: "the own id gives no power",
    scene: { members, levels: {} },
    event: { sender: bob, type: "org.example.status", state_key: bob },
  },
];

export const sendingRows: readonly Row[] = [
  ...senderRows,
  ...powerRows,
  ...stateKeyRows,
  {
    rule: "11",
    verdict: "allow",
    says: "what no rule refuses is allowed",
    scene: {},
    event: { type: "org.example.anything", state_key: "x" },
  },
];
