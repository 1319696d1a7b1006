import { Link } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { Time } from "../../parts/Time.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { QuestionLink } from "../graph/QuestionLink.tsx";
import { UserLinks } from "../rooms/links.tsx";

/** What the access graph answers to "what does this person reach" (server/src/graph/questions/reach.ts). */
export interface Reached {
  sentence: string;
  details: string[];
  items: {
    /** Null for what the server has of another person. */
    room_id: string | null;
    name: string;
    type: string;
    how: "member" | "invited" | "restricted" | "public" | "readable" | "legal access" | "fetched export";
    via: string | null;
    since_ts: number | null;
    by: string | null;
    manages: boolean;
    encrypted: boolean | null;
  }[];
  total: number;
}

type Row = Reached["items"][number];

const HOW: Readonly<Record<Row["how"], string>> = {
  member: "Is a member",
  invited: "Is invited",
  restricted: "May join as a member of",
  public: "May join, as everybody may",
  readable: "May read, as everybody may",
  "legal access": "May export what is stored, for",
  "fetched export": "Has a copy,",
};

const columnsFor = (userId: string): SimpleTableProps<Row>["columns"] => [
  {
    id: "room",
    label: "Room",
    value: ({ name }) => name,
    cell: ({ name, room_id }) => (room_id === null ? name : <Link to={pathOf`/rooms/${room_id}`}>{name}</Link>),
  },
  {
    id: "why",
    label: "Why",
    value: ({ how, via }) => `${HOW[how]} ${via ?? ""}`,
    cell: ({ how, via, by, type }) => (
      <>
        {via ? `${HOW[how]} ${via}` : HOW[how]}
        {by && (
          <span>
            , {type === "export" ? "made" : type === "legal access" ? "granted" : "let in"} by{" "}
            {by.startsWith("@") ? <UserLinks userIds={[by]} /> : by}
          </span>
        )}
      </>
    ),
  },
  { id: "since", label: "Since", value: ({ since_ts }) => since_ts, cell: ({ since_ts }) => <Time at_ms={since_ts} /> },
  { id: "manages", label: "Manages it", value: ({ manages }) => (manages ? "yes" : "no") },
  {
    id: "encrypted",
    label: "Encrypted",
    value: ({ encrypted }) => (encrypted === null ? "–" : encrypted ? "yes" : "no"),
  },
  {
    id: "ask",
    label: "Ask",
    value: () => null,
    cell: ({ room_id, name }) =>
      room_id !== null && (
        <QuestionLink question="why" about={{ user_id: userId, room_id }} label={`Why can they read ${name}?`}>
          Why
        </QuestionLink>
      ),
  },
];

/** Which rooms a person reaches, and by which way. */
export function UserAccess({ userId }: { userId: string }) {
  const reached = useAnswer<Reached>("/graph/reach", { query: { user_id: userId } });
  return (
    <Section title="What this person reaches" intro={reached.data?.sentence} action={<Questions userId={userId} />}>
      <Shown answer={reached}>
        {({ items }) =>
          items.length > 0 ? (
            <SimpleTable
              label="Rooms"
              items={items}
              columns={columnsFor(userId)}
              rowId={({ room_id, how, via, since_ts }) => `${room_id} ${how} ${via} ${since_ts}`}
            />
          ) : (
            <Empty>This person reaches no room.</Empty>
          )
        }
      </Shown>
    </Section>
  );
}

function Questions({ userId }: { userId: string }) {
  const about = { user_id: userId };
  return (
    <span>
      <QuestionLink question="reach" about={about}>
        See it as a graph
      </QuestionLink>
      {" · "}
      <QuestionLink question="remove-person" about={about}>
        What would change without them?
      </QuestionLink>
      {" · "}
      <QuestionLink question="taken" about={about}>
        Who has taken data of theirs?
      </QuestionLink>
    </span>
  );
}
