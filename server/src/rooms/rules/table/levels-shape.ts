/** Rules 10.1 to 10.4: what power levels look like. */
import { MAPS, SCALARS, change, members } from "./change.ts";
import { alice, carol, dan } from "./scene.ts";
import type { Row } from "./scene.ts";

const NOT_INTEGERS = ["50", 1.5, null, true, [50], { level: 50 }, 2 ** 53, -(2 ** 53), Infinity, NaN];

const shapeRows: Row[] = [
  ...SCALARS.map((name) =>
    change("10.1", "allow", `${name} may be an integer`)({ before: { [name]: 0 }, after: { [name]: -5 } }),
  ),
  ...SCALARS.flatMap((name) =>
    NOT_INTEGERS.map((value) =>
      change(
        "10.1",
        "refuse",
        `${name} is not ${JSON.stringify(value)} (${typeof value})`,
      )({ before: {}, after: { [name]: value } }),
    ),
  ),
  ...MAPS.map((name) =>
    change("10.2", "allow", `${name} may hold integers`)({ before: {}, after: { [name]: { "m.x": 50 } } }),
  ),
  ...MAPS.flatMap((name) =>
    NOT_INTEGERS.map((value) =>
      change(
        "10.2",
        "refuse",
        `${name} does not hold ${JSON.stringify(value)} (${typeof value})`,
      )({ before: {}, after: { [name]: { "m.x": value } } }),
    ),
  ),
  ...MAPS.flatMap((name) =>
    [null, 5, "x", [1]].map((value) =>
      change("10.2", "refuse", `${name} is not ${JSON.stringify(value)}`)({ before: {}, after: { [name]: value } }),
    ),
  ),
  change(
    "10.3",
    "allow",
    "users may name historical user ids",
  )({ before: {}, after: { users: { "@Old Style:parley.test": 1 } } }),
  ...NOT_INTEGERS.map((value) =>
    change(
      "10.3",
      "refuse",
      `a user's level is not ${JSON.stringify(value)} (${typeof value})`,
    )({ before: {}, after: { users: { [dan]: value } } }),
  ),
  ...[null, 5, "x", [1]].map((value) =>
    change("10.3", "refuse", `users is not ${JSON.stringify(value)}`)({ before: {}, after: { users: value } }),
  ),
  ...["dan", "@dan", "dan:parley.test", "@dan:", "@dan:parley test", ""].map((key) =>
    change(
      "10.3",
      "refuse",
      `users does not name ${JSON.stringify(key)}`,
    )({ before: {}, after: { users: { [key]: 1 } } }),
  ),
  {
    rule: "10.3",
    verdict: "allow",
    only: "12",
    says: "users may be missing",
    scene: { members, levels: {} },
    event: { type: "m.room.power_levels", state_key: "", content: {} },
  },
];

const creatorRows: Row[] = [
  {
    ...change("10.4", "refuse", "the creator has no number")({ before: {}, after: { users: { [alice]: 100 } } }),
    only: "12",
  },
  {
    ...change(
      "10.4",
      "refuse",
      "nor has an additional creator",
    )({ before: {}, after: { users: { [dan]: 10 } }, creation: { additional_creators: [carol, dan] } }),
    only: "12",
  },
  {
    ...change(
      "10.4",
      "allow",
      "others have one",
    )({ before: {}, after: { users: { [dan]: 10 } }, creation: { additional_creators: [carol] } }),
    only: "12",
  },
  {
    ...change(
      "10.4",
      "allow",
      "version 11 gives the creator a number",
    )({ before: { users: { [alice]: 100 } }, after: { users: { [alice]: 100 } } }),
    only: "11",
  },
  {
    ...change(
      "10.4",
      "allow",
      "and anyone named as an additional creator too",
    )({
      before: { users: { [alice]: 100 } },
      after: { users: { [alice]: 100, [dan]: 10 } },
      creation: { additional_creators: [dan] },
    }),
    only: "11",
  },
  {
    rule: "10.4",
    verdict: "refuse",
    only: "12",
    says: "not even the creator names herself",
    scene: { levels: {} },
    event: { type: "m.room.power_levels", state_key: "", content: { users: { [alice]: 100 } } },
  },
  {
    rule: "10.4",
    verdict: "refuse",
    only: "12",
    says: "nor in the first power levels",
    scene: {},
    event: { type: "m.room.power_levels", state_key: "", content: { users: { [alice]: 100 } } },
  },
];

export const levelsShapeRows: readonly Row[] = [...shapeRows, ...creatorRows];
