/** Rules 5.1 to 5.3 and 5.8: the shape of membership events, and who may join. */
import { alice, bob, carol, dan, held, member, row, stranger, withContent } from "./scene.ts";
import type { Row, Scene } from "./scene.ts";

const VIA = "join_authorised_via_users_server";
const MEMBERSHIPS = ["join", "invite", "leave", "ban", "knock"];

const shapeRows: Row[] = [
  row("5.1", "allow", "a member event names a user and a membership")({ joinRule: "public" }, member(bob, "join")),
  row(
    "5.1",
    "refuse",
    "without a state_key it is none",
  )({ joinRule: "public" }, { ...member(bob, "join"), state_key: undefined }),
  row(
    "5.1",
    "refuse",
    "without a membership it is none",
  )({ joinRule: "public" }, { ...member(bob, "join"), content: {} }),
  row("5.8", "refuse", "an unknown membership is refused")({ joinRule: "public" }, member(bob, "admire")),
  row(
    "5.8",
    "refuse",
    "a membership is a text",
  )({ joinRule: "public" }, { ...member(bob, "join"), content: { membership: ["join"] } }),
  row(
    "5.8",
    "refuse",
    "null is no membership",
  )({ joinRule: "public" }, { ...member(bob, "join"), content: { membership: null } }),
];

const restricted = { members: { [carol]: "join", [dan]: "invite" }, joinRule: "restricted", levels: {} };
function vouched(says: string, verdict: Row["verdict"], more: Partial<Row> & { via?: unknown }): Row {
  const { via, ...rest } = more;
  const event = withContent(member(bob, "join"), { [VIA]: via ?? carol });
  return { rule: "5.2.1", verdict, says, scene: restricted, event, facts: { meetsAllowCondition: true }, ...rest };
}

const vouchingRows: Row[] = [
  vouched("the server has found the condition met", "allow", {}),
  vouched("the server has not looked", "refuse", { facts: {} }),
  vouched("the server has found no condition met", "refuse", { facts: { meetsAllowCondition: false } }),
  vouched("the key is a user id", "refuse", { via: ["@carol:parley.test"] }),
  vouched("a text that is none does not do", "refuse", { via: "carol" }),
  vouched("a user of another server can not be vouched with", "refuse", {
    via: stranger,
    scene: { ...restricted, members: { [stranger]: "join" } },
  }),
  vouched("a client can not add the key to any other membership event", "refuse", {
    scene: { members: { [bob]: "join" } },
    facts: {},
    event: withContent(member(bob, "leave"), { [VIA]: alice }),
  }),
  vouched("nor to a change of its name in a public room", "refuse", {
    scene: { members: { [bob]: "join" }, joinRule: "public" },
    facts: {},
    event: withContent(member(bob, "join"), { [VIA]: alice }),
  }),
];

const firstJoinRows: Row[] = [
  row("5.3.1", "allow", "the creator joins the new room")({ members: { [alice]: undefined } }, member(alice, "join")),
  row("5.3.4", "refuse", "nobody else does")({ members: { [alice]: undefined } }, member(bob, "join")),
  row(
    "5.3.4",
    "refuse",
    "a creator who has left needs an invitation like anyone",
  )({ members: { [alice]: "leave" } }, member(alice, "join")),
  row("5.3.3", "refuse", "a banned creator stays out")({ members: { [alice]: "ban" } }, member(alice, "join")),
  row(
    "5.3.2",
    "refuse",
    "nobody makes the creator join",
  )({ members: { [alice]: undefined } }, member(bob, "join", alice)),
  {
    ...row(
      "5.3.4",
      "refuse",
      "an additional creator has no first join",
    )({ creation: { additional_creators: [bob] } }, member(bob, "join")),
    only: "12",
  },
];

const joinRows: Row[] = [
  row("5.3.2", "allow", "users join for themselves")({ members: { [bob]: "invite" } }, member(bob, "join")),
  row(
    "5.3.2",
    "refuse",
    "and for nobody else",
  )({ members: { [bob]: "invite" }, joinRule: "public" }, member(alice, "join", bob)),
  row(
    "5.3.3",
    "allow",
    "who was banned once may join again when the ban is lifted",
  )({ members: { [bob]: "leave" }, joinRule: "public" }, member(bob, "join")),
  row(
    "5.3.3",
    "refuse",
    "a banned user does not join a public room",
  )({ members: { [bob]: "ban" }, joinRule: "public" }, member(bob, "join")),
  {
    ...row(
      "5.3.3",
      "refuse",
      "nor a restricted one of which they meet the condition",
    )(
      { ...restricted, members: { [bob]: "ban", [carol]: "join" } },
      withContent(member(bob, "join"), { [VIA]: carol }),
    ),
    facts: { meetsAllowCondition: true },
  },
];

/** Join rule by membership: which combinations let a user in who nobody vouches for. */
const LETS_IN: Readonly<Record<string, readonly string[]>> = {
  public: ["none", "invite", "join", "leave", "knock"],
  invite: ["invite", "join"],
  knock: ["invite", "join"],
  restricted: ["invite", "join"],
  knock_restricted: ["invite", "join"],
  private: [],
  "org.example.unknown": [],
};

function refusingJoinRule(joinRule: string, membership: string): string {
  if (membership === "ban") return "5.3.3";
  if (joinRule === "invite" || joinRule === "knock") return "5.3.4";
  return joinRule.endsWith("restricted") ? "5.3.5.2" : "5.3.7";
}

const joinRuleRows: Row[] = Object.entries(LETS_IN).flatMap(([joinRule, letsIn]) =>
  ["none", ...MEMBERSHIPS].map((membership) => {
    const scene = { joinRule, members: membership === "none" ? {} : { [bob]: membership } };
    const verdict = letsIn.includes(membership) ? "allow" : "refuse";
    const says = `with join rule ${joinRule} a user with membership ${membership} joins`;
    return row(refusingJoinRule(joinRule, membership), verdict, says)(scene, member(bob, "join"));
  }),
);

const joinDefaultRows: Row[] = [
  row("5.3.4", "refuse", "without a join rule the room is for invited users")({}, member(bob, "join")),
  row(
    "5.3.4",
    "allow",
    "without a join rule an invited user joins",
  )({ members: { [bob]: "invite" } }, member(bob, "join")),
  row(
    "5.3.7",
    "refuse",
    "a join rule that is no text lets nobody in",
  )({ more: [held("m.room.join_rules", {})], members: { [bob]: "invite" } }, member(bob, "join")),
];

function restrictedJoin(says: string, verdict: Row["verdict"], scene: Scene): Row[] {
  return ["restricted", "knock_restricted"].map((joinRule) => ({
    rule: "5.3.5.2",
    verdict,
    says: `${says} (${joinRule})`,
    scene: { ...scene, joinRule },
    event: withContent(member(bob, "join"), { [VIA]: carol }),
    facts: { meetsAllowCondition: true },
  }));
}

const restrictedRows: Row[] = [
  ...restrictedJoin("a joined member with the power to invite vouches", "allow", {
    members: { [carol]: "join" },
    levels: { invite: 30, users: { [carol]: 30 } },
  }),
  ...restrictedJoin("one below the invite level does not", "refuse", {
    members: { [carol]: "join" },
    levels: { invite: 30, users: { [carol]: 29 } },
  }),
  ...restrictedJoin("inviting takes 0 when nothing is said", "allow", { members: { [carol]: "join" }, levels: {} }),
  ...restrictedJoin("an invited user does not vouch", "refuse", { members: { [carol]: "invite" }, levels: {} }),
  ...restrictedJoin("a user who has left does not vouch", "refuse", { members: { [carol]: "leave" }, levels: {} }),
  ...restrictedJoin("a user who was never there does not vouch", "refuse", { levels: {} }),
  ...restrictedJoin("an invited user needs nobody's word", "allow", {
    members: { [bob]: "invite" },
    levels: { invite: 100 },
  }),
  {
    ...row(
      "5.3.5.2",
      "refuse",
      "meeting a condition is not enough without a member who vouches",
    )({ joinRule: "restricted" }, member(bob, "join")),
    facts: { meetsAllowCondition: true },
  },
  {
    ...row(
      "5.3.4",
      "refuse",
      "in an invite-only room no word of anyone counts",
    )({ members: { [carol]: "join" }, joinRule: "invite" }, withContent(member(bob, "join"), { [VIA]: carol })),
    facts: { meetsAllowCondition: true },
  },
  {
    ...row(
      "5.3.5.2",
      "allow",
      "a creator vouches, whatever the invite level is",
    )({ joinRule: "restricted", levels: { invite: 1000 } }, withContent(member(bob, "join"), { [VIA]: alice })),
    only: "12",
    facts: { meetsAllowCondition: true },
  },
];

export const joiningRows: readonly Row[] = [
  ...shapeRows,
  ...vouchingRows,
  ...firstJoinRows,
  ...joinRows,
  ...joinRuleRows,
  ...joinDefaultRows,
  ...restrictedRows,
];
