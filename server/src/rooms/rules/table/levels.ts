/** Rules 10.5 to 10.10: how power levels may change. */
import { MAPS, SCALARS, change, members } from "./change.ts";
import { alice, bob, carol, dan } from "./scene.ts";
import type { Row } from "./scene.ts";
import type { Content } from "../event.ts";

const firstRows: Row[] = [
  {
    rule: "10.5",
    verdict: "allow",
    says: "the first power levels may say anything",
    scene: {},
    event: {
      type: "m.room.power_levels",
      state_key: "",
      content: { ban: 1000, users: { [bob]: 1000 }, events: { "m.x": 1000 } },
    },
  },
  {
    rule: "10.1",
    verdict: "refuse",
    says: "but not with texts for numbers",
    scene: {},
    event: { type: "m.room.power_levels", state_key: "", content: { ban: "50" } },
  },
];

const scalarRows: Row[] = SCALARS.flatMap((name) => [
  change("10.6.1", "allow", `${name} at one's own level is lowered`)({ before: { [name]: 50 }, after: { [name]: 49 } }),
  change(
    "10.6.1",
    "allow",
    `${name} above one's own level stays as it is`,
  )({ before: { [name]: 51 }, after: { [name]: 51 } }),
  change(
    "10.6.1",
    "refuse",
    `${name} above one's own level is not lowered`,
  )({ before: { [name]: 51 }, after: { [name]: 50 } }),
  change("10.6.1", "refuse", `${name} above one's own level is not removed`)({ before: { [name]: 51 }, after: {} }),
  change("10.6.1", "allow", `${name} at one's own level is removed`)({ before: { [name]: 50 }, after: {} }),
  change("10.6.2", "allow", `${name} is added at one's own level`)({ before: {}, after: { [name]: 50 } }),
  change("10.6.2", "refuse", `${name} is not added above one's own level`)({ before: {}, after: { [name]: 51 } }),
  change(
    "10.6.2",
    "refuse",
    `${name} is not raised above one's own level`,
  )({ before: { [name]: 50 }, after: { [name]: 51 } }),
]);

const mapRows: Row[] = MAPS.flatMap((name) => [
  change(
    "10.7.1",
    "allow",
    `an entry of ${name} at one's own level is lowered`,
  )({ before: { [name]: { "m.x": 50 } }, after: { [name]: { "m.x": 0 } } }),
  change(
    "10.7.1",
    "allow",
    `an entry of ${name} above one's own level stays`,
  )({ before: { [name]: { "m.x": 51 } }, after: { [name]: { "m.x": 51 } } }),
  change(
    "10.7.1",
    "refuse",
    `an entry of ${name} above one's own level is not lowered`,
  )({ before: { [name]: { "m.x": 51 } }, after: { [name]: { "m.x": 0 } } }),
  change(
    "10.7.1",
    "refuse",
    `an entry of ${name} above one's own level is not removed`,
  )({ before: { [name]: { "m.x": 51 } }, after: { [name]: {} } }),
  change(
    "10.7.1",
    "allow",
    `an entry of ${name} at one's own level is removed`,
  )({ before: { [name]: { "m.x": 50 } }, after: { [name]: {} } }),
  change(
    "10.8.1",
    "allow",
    `an entry of ${name} is added at one's own level`,
  )({ before: {}, after: { [name]: { "m.x": 50 } } }),
  change(
    "10.8.1",
    "refuse",
    `an entry of ${name} is not added above one's own level`,
  )({ before: {}, after: { [name]: { "m.x": 51 } } }),
  change(
    "10.8.1",
    "refuse",
    `an entry of ${name} is not raised above one's own level`,
  )({ before: { [name]: { "m.x": 1 } }, after: { [name]: { "m.x": 51 } } }),
  change(
    "10.8.1",
    "refuse",
    `an entry of ${name} named __proto__ is one like any other`,
  )({ before: {}, after: { [name]: JSON.parse('{"__proto__": 51}') as Content } }),
  change(
    "10.8.1",
    "refuse",
    `an entry of ${name} with an inherited name is one like any other`,
  )({ before: {}, after: { [name]: { constructor: 51 } } }),
]);

const mapRemovalRows: Row[] = [
  change(
    "10.7.1",
    "refuse",
    "removing all notifications removes each",
  )({ before: { notifications: { room: 51 } }, after: {} }),
  change(
    "10.7.1",
    "allow",
    "removing all notifications within one's power is fine",
  )({ before: { notifications: { room: 50 } }, after: {} }),
];

const userRows: Row[] = [
  change(
    "10.9.1",
    "allow",
    "a weaker user's level is changed",
  )({ before: { users: { [carol]: 49 } }, after: { users: { [carol]: 50 } } }),
  change(
    "10.9.1",
    "refuse",
    "an equal's level is not lowered",
  )({ before: { users: { [carol]: 50 } }, after: { users: { [carol]: 49 } } }),
  change("10.9.1", "refuse", "an equal's level is not removed")({ before: { users: { [carol]: 50 } }, after: {} }),
  change(
    "10.9.1",
    "refuse",
    "a stronger user's level is not lowered",
  )({ before: { users: { [carol]: 51 } }, after: { users: { [carol]: 0 } } }),
  change(
    "10.9.1",
    "refuse",
    "a stronger user's level is not removed",
  )({ before: { users: { [carol]: 51 } }, after: {} }),
  change("10.9.1", "allow", "a weaker user's level is removed")({ before: { users: { [carol]: 49 } }, after: {} }),
  change(
    "10.9.1",
    "allow",
    "an equal's level stays",
  )({ before: { users: { [carol]: 50 } }, after: { users: { [carol]: 50, [dan]: 1 } } }),
  change("10.9.1", "allow", "one's own level is lowered")({ before: {}, after: { users: { [bob]: 0 } } }),
  change("10.10.1", "allow", "a user is added at one's own level")({ before: {}, after: { users: { [dan]: 50 } } }),
  change(
    "10.10.1",
    "refuse",
    "a user is not added above one's own level",
  )({ before: {}, after: { users: { [dan]: 51 } } }),
  change(
    "10.10.1",
    "refuse",
    "a user is not raised above one's own level",
  )({ before: { users: { [dan]: 1 } }, after: { users: { [dan]: 51 } } }),
  change("10.10.1", "refuse", "one's own level is not raised")({ before: {}, after: { users: { [bob]: 51 } } }),
  change(
    "10.10.1",
    "refuse",
    "not with one's power from users_default either",
  )({ before: { users_default: 50, users: { [bob]: 50 } }, after: { users_default: 50, users: { [bob]: 51 } } }),
  {
    rule: "10.10.1",
    verdict: "allow",
    only: "12",
    says: "a creator gives as much as a number can hold",
    scene: { members, levels: {} },
    event: { type: "m.room.power_levels", state_key: "", content: { users: { [bob]: Number.MAX_SAFE_INTEGER } } },
  },
  {
    rule: "10.9.1",
    verdict: "allow",
    only: "12",
    says: "and takes it back",
    scene: { members, levels: { users: { [bob]: Number.MAX_SAFE_INTEGER } } },
    event: { type: "m.room.power_levels", state_key: "", content: { users: { [bob]: 0 } } },
  },
  {
    rule: "10.9.1",
    verdict: "refuse",
    only: "11",
    says: "a creator with a number is held to it",
    scene: { members, levels: { users: { [alice]: 100, [bob]: 100 } } },
    event: { type: "m.room.power_levels", state_key: "", content: { users: { [alice]: 100, [bob]: 0 } } },
  },
];

const sendingRows: Row[] = [
  {
    rule: "8",
    verdict: "refuse",
    says: "who may not send power levels changes nothing in them",
    scene: { members, levels: { users: { [bob]: 50 }, events: { "m.room.power_levels": 51 } } },
    event: {
      type: "m.room.power_levels",
      sender: bob,
      state_key: "",
      content: { users: { [bob]: 50 }, events: { "m.room.power_levels": 51 } },
    },
  },
];

export const levelsRows: readonly Row[] = [
  ...firstRows,
  ...scalarRows,
  ...mapRows,
  ...mapRemovalRows,
  ...userRows,
  ...sendingRows,
];
