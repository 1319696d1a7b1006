/** Which redactions are applied, and with that let in. */
import { bob, carol, dan, held, roomIdOf } from "./scene.ts";
import type { Row } from "./scene.ts";
import type { RoomEvent } from "../event.ts";

const members = { [bob]: "join", [carol]: "join" };
const ofCarol = held("m.room.message", { body: "hello" }, { sender: carol, event_id: "$of-carol" });
function redaction(verdict: Row["verdict"], says: string, more: Partial<Row> & { target?: Partial<RoomEvent> }): Row[] {
  const { target, ...rest } = more;
  return (["11", "12"] as const).map((only) => ({
    rule: "redaction",
    verdict,
    says,
    only,
    scene: { members, levels: {} },
    event: { type: "m.room.redaction", sender: bob, content: { redacts: "$of-carol" } },
    facts: { redactionTarget: { ...ofCarol, room_id: roomIdOf(only), ...target } },
    ...rest,
  }));
}

export const redactionRows: readonly Row[] = [
  ...redaction("allow", "everyone redacts their own events", { target: { sender: bob } }),
  ...redaction("refuse", "another's event takes 50 when nothing is said", {
    scene: { members, levels: { users: { [bob]: 49 } } },
  }),
  ...redaction("allow", "50 is enough", { scene: { members, levels: { users: { [bob]: 50 } } } }),
  ...redaction("allow", "the redact level is what counts", {
    scene: { members, levels: { redact: 7, users: { [bob]: 7 } } },
  }),
  ...redaction("refuse", "one below it does not do", {
    scene: { members, levels: { redact: 7, users: { [bob]: 6 } } },
  }),
  ...redaction("refuse", "an event of another room is not there", {
    scene: { members, levels: { redact: 0 } },
    target: { room_id: "!other:parley.test" },
  }),
  ...redaction("refuse", "the target is the event that the redaction names", {
    scene: { members, levels: { redact: 0 } },
    target: { event_id: "$another" },
  }),
  ...redaction("refuse", "an unknown event is not redacted", { scene: { members, levels: { redact: 0 } }, facts: {} }),
  ...redaction("refuse", "a redaction names an event", {
    scene: { members, levels: { redact: 0 } },
    event: { type: "m.room.redaction", sender: bob, content: {} },
  }),
  ...redaction("refuse", "and names it with a text", {
    scene: { members, levels: { redact: 0 } },
    event: { type: "m.room.redaction", sender: bob, content: { redacts: ["$of-carol"] } },
  }),
  {
    rule: "8",
    verdict: "refuse",
    says: "the level of m.room.redaction counts for one's own events",
    scene: { members, levels: { events: { "m.room.redaction": 1 } } },
    event: { type: "m.room.redaction", sender: bob, content: { redacts: "$of-carol" } },
  },
  {
    rule: "6",
    verdict: "refuse",
    says: "who has left redacts nothing, not even their own",
    scene: { levels: {} },
    event: { type: "m.room.redaction", sender: dan, content: { redacts: "$of-carol" } },
  },
];
