/** Rules 5.4 to 5.7: inviting, leaving, kicking, banning and knocking. */
import { alice, bob, carol, dan, member, row, withContent } from "./scene.ts";
import type { Row } from "./scene.ts";

const both = { [bob]: "join", [carol]: "join" };
const inviteRows: Row[] = [
  row("5.4.1", "allow", "an invitation of a user is not one of a third party")({}, member(alice, "invite", bob)),
  row(
    "5.4.1",
    "refuse",
    "invitations through an identity server are refused",
  )(
    {},
    withContent(member(alice, "invite", bob), {
      third_party_invite: { display_name: "b", signed: { mxid: bob, token: "t", signatures: {} } },
    }),
  ),
  row("5.4.2", "allow", "a member invites")({ members: { [carol]: "join" }, levels: {} }, member(carol, "invite", bob)),
  row("5.4.2", "refuse", "who is not in the room invites nobody")({ levels: {} }, member(carol, "invite", bob)),
  row(
    "5.4.2",
    "refuse",
    "nor does who is invited",
  )({ members: { [carol]: "invite" }, levels: {} }, member(carol, "invite", bob)),
  row("5.4.2", "refuse", "nobody invites themselves")({ levels: {} }, member(bob, "invite")),
  row("5.4.3", "refuse", "members are not invited")({ members: both }, member(alice, "invite", bob)),
  row("5.4.3", "refuse", "banned users are not invited")({ members: { [bob]: "ban" } }, member(alice, "invite", bob)),
  ...["invite", "leave", "knock"].map((from) =>
    row(
      "5.4.3",
      "allow",
      `a user with membership ${from} is invited`,
    )({ members: { [bob]: from } }, member(alice, "invite", bob)),
  ),
  row(
    "5.4.5",
    "allow",
    "the invite level is enough",
  )({ members: { [carol]: "join" }, levels: { invite: 30, users: { [carol]: 30 } } }, member(carol, "invite", bob)),
  row(
    "5.4.5",
    "refuse",
    "one below it is not",
  )({ members: { [carol]: "join" }, levels: { invite: 30, users: { [carol]: 29 } } }, member(carol, "invite", bob)),
  row(
    "5.4.5",
    "allow",
    "without levels every member invites",
  )({ members: { [carol]: "join" } }, member(carol, "invite", bob)),
  row(
    "5.4.5",
    "allow",
    "the level of m.room.member counts for nothing",
  )(
    { members: { [carol]: "join" }, levels: { events: { "m.room.member": 100 }, state_default: 100 } },
    member(carol, "invite", bob),
  ),
];

const leaveRows: Row[] = [
  ...["invite", "join", "knock"].map((from) =>
    row("5.5.1", "allow", `a user with membership ${from} leaves`)({ members: { [bob]: from } }, member(bob, "leave")),
  ),
  ...["leave", "ban"].map((from) =>
    row(
      "5.5.1",
      "refuse",
      `a user with membership ${from} does not leave`,
    )({ members: { [bob]: from } }, member(bob, "leave")),
  ),
  row("5.5.1", "refuse", "who was never in the room does not leave")({}, member(bob, "leave")),
  row(
    "5.5.1",
    "refuse",
    "nobody lifts their own ban, whatever their level is",
  )({ members: { [bob]: "ban" }, levels: { users: { [bob]: 100 } } }, member(bob, "leave")),
  row(
    "5.5.2",
    "allow",
    "a member with power kicks",
  )({ members: both, levels: { users: { [bob]: 50 } } }, member(bob, "leave", carol)),
  row(
    "5.5.2",
    "refuse",
    "who is not in the room kicks nobody",
  )({ members: { [carol]: "join" }, levels: { users: { [bob]: 50 } } }, member(bob, "leave", carol)),
  row(
    "5.5.2",
    "refuse",
    "nor does a banned moderator",
  )({ members: { [bob]: "ban", [carol]: "join" }, levels: { users: { [bob]: 50 } } }, member(bob, "leave", carol)),
  row(
    "5.5.3",
    "allow",
    "lifting a ban takes the ban level",
  )(
    { members: { [bob]: "join", [carol]: "ban" }, levels: { kick: 10, ban: 40, users: { [bob]: 40 } } },
    member(bob, "leave", carol),
  ),
  row(
    "5.5.3",
    "refuse",
    "one below it does not lift a ban",
  )(
    { members: { [bob]: "join", [carol]: "ban" }, levels: { kick: 10, ban: 40, users: { [bob]: 39 } } },
    member(bob, "leave", carol),
  ),
  row(
    "5.5.5",
    "refuse",
    "lifting a ban takes the kick level too",
  )(
    { members: { [bob]: "join", [carol]: "ban" }, levels: { kick: 50, ban: 40, users: { [bob]: 40 } } },
    member(bob, "leave", carol),
  ),
  row(
    "5.5.5",
    "allow",
    "a kick does not take the ban level",
  )({ members: both, levels: { kick: 10, ban: 40, users: { [bob]: 10 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "refuse",
    "one below the kick level does not kick",
  )({ members: both, levels: { kick: 10, users: { [bob]: 9 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "refuse",
    "kicking takes 50 when nothing is said",
  )({ members: both, levels: { users: { [bob]: 49 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "refuse",
    "an equal is not kicked",
  )({ members: both, levels: { users: { [bob]: 60, [carol]: 60 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "refuse",
    "a stronger one is not kicked",
  )({ members: both, levels: { users: { [bob]: 60, [carol]: 61 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "allow",
    "a weaker one is kicked",
  )({ members: both, levels: { users: { [bob]: 60, [carol]: 59 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "allow",
    "an invitation is taken back",
  )({ members: { [bob]: "join", [carol]: "invite" }, levels: { users: { [bob]: 50 } } }, member(bob, "leave", carol)),
  row(
    "5.5.5",
    "allow",
    "a knock is turned down",
  )({ members: { [bob]: "join", [carol]: "knock" }, levels: { users: { [bob]: 50 } } }, member(bob, "leave", carol)),
  {
    ...row(
      "5.5.5",
      "refuse",
      "no number of levels is enough against a creator",
    )({ members: both, levels: { users: { [bob]: Number.MAX_SAFE_INTEGER } } }, member(bob, "leave", alice)),
    only: "12",
  },
  {
    ...row(
      "5.5.5",
      "allow",
      "a creator with a lower level is kicked like anyone",
    )({ members: both, levels: { users: { [alice]: 10, [bob]: 100 } } }, member(bob, "leave", alice)),
    only: "11",
  },
  {
    ...row(
      "5.5.5",
      "refuse",
      "creators do not kick each other",
    )({ members: both, creation: { additional_creators: [bob] } }, member(bob, "leave", alice)),
    only: "12",
  },
];

const banRows: Row[] = [
  row(
    "5.6.1",
    "allow",
    "a member with power bans",
  )({ members: both, levels: { users: { [bob]: 50 } } }, member(bob, "ban", carol)),
  row(
    "5.6.1",
    "refuse",
    "who is not in the room bans nobody",
  )({ members: { [carol]: "join" }, levels: { users: { [bob]: 50 } } }, member(bob, "ban", carol)),
  row(
    "5.6.3",
    "allow",
    "the ban level is enough",
  )({ members: both, levels: { ban: 20, kick: 90, users: { [bob]: 20 } } }, member(bob, "ban", carol)),
  row(
    "5.6.3",
    "refuse",
    "one below it is not",
  )({ members: both, levels: { ban: 20, kick: 0, users: { [bob]: 19 } } }, member(bob, "ban", carol)),
  row(
    "5.6.3",
    "refuse",
    "banning takes 50 when nothing is said",
  )({ members: both, levels: { users: { [bob]: 49 } } }, member(bob, "ban", carol)),
  row(
    "5.6.3",
    "refuse",
    "an equal is not banned",
  )({ members: both, levels: { users: { [bob]: 60, [carol]: 60 } } }, member(bob, "ban", carol)),
  row(
    "5.6.3",
    "refuse",
    "nobody bans themselves",
  )({ members: both, levels: { users: { [bob]: 60 } } }, member(bob, "ban")),
  row(
    "5.6.3",
    "allow",
    "who never was in the room can be banned from it",
  )({ members: both, levels: { users: { [bob]: 60 } } }, member(bob, "ban", dan)),
  row(
    "5.6.3",
    "allow",
    "a ban may be repeated",
  )({ members: { [bob]: "join", [carol]: "ban" }, levels: { users: { [bob]: 60 } } }, member(bob, "ban", carol)),
  {
    ...row(
      "5.6.3",
      "refuse",
      "a creator is not banned",
    )({ members: both, levels: { users: { [bob]: Number.MAX_SAFE_INTEGER } } }, member(bob, "ban", alice)),
    only: "12",
  },
  {
    ...row(
      "5.6.3",
      "allow",
      "a creator bans the strongest",
    )({ members: both, levels: { users: { [bob]: Number.MAX_SAFE_INTEGER } } }, member(alice, "ban", bob)),
    only: "12",
  },
];

const knockRows: Row[] = [
  ...["knock", "knock_restricted"].map((joinRule) =>
    row("5.7.1", "allow", `a stranger knocks on a room with join rule ${joinRule}`)({ joinRule }, member(bob, "knock")),
  ),
  ...["public", "invite", "restricted", "private"].map((joinRule) =>
    row("5.7.1", "refuse", `nobody knocks on a room with join rule ${joinRule}`)({ joinRule }, member(bob, "knock")),
  ),
  row("5.7.1", "refuse", "nobody knocks on a room without a join rule")({}, member(bob, "knock")),
  row("5.7.2", "allow", "users knock for themselves")({ joinRule: "knock" }, member(bob, "knock")),
  row("5.7.2", "refuse", "and for nobody else")({ joinRule: "knock", members: both }, member(carol, "knock", dan)),
  ...["leave", "knock"].map((from) =>
    row(
      "5.7.4",
      "allow",
      `a user with membership ${from} knocks`,
    )({ joinRule: "knock", members: { [bob]: from } }, member(bob, "knock")),
  ),
  ...["ban", "invite", "join"].map((from) =>
    row(
      "5.7.4",
      "refuse",
      `a user with membership ${from} does not knock`,
    )({ joinRule: "knock", members: { [bob]: from } }, member(bob, "knock")),
  ),
];

export const invitingRows: readonly Row[] = [...inviteRows, ...leaveRows, ...banRows, ...knockRows];
