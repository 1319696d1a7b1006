/** Why can this person read this room, and what of it? */
import { day, edge, type Found, levelWords, namesOf, personNode, roomNode } from "../answer.ts";
import { matrixError } from "../../errors.ts";
import { pathOf, roomsOnWay } from "../path.ts";
import type { Graph } from "../port.ts";
import { type Span, spansOf } from "../sight.ts";
import { reachOf } from "../ways.ts";

interface Asked {
  userId: string;
  roomId: string;
}

export async function why(graph: Graph, asked: Asked): Promise<Found> {
  const facts = await factsOf(graph, asked);
  const { names, spaceIds, path, way } = facts;
  const { userId, roomId } = asked;
  return {
    sentence: way ? path.sentence : noWay(facts, asked),
    details: detailsOf(facts),
    items: path.edges.map(({ from, to, label, properties }) => ({
      from: labelOf(path.nodes, from),
      step: label,
      to: labelOf(path.nodes, to),
      since_ts: properties["since_ts"] ?? null,
      by: properties["by"] ?? null,
    })),
    nodes: [...path.nodes, ...spaceIds.map((id) => roomNode(names.rooms.get(id), id))],
    edges: [
      ...path.edges,
      ...spaceIds.flatMap((id) => [
        edge("contains", [id, roomId]),
        edge("member", [userId, id], { label: "member of" }),
      ]),
    ],
    roots: [userId, roomId],
  };
}

type Facts = Awaited<ReturnType<typeof factsOf>>;

async function factsOf(graph: Graph, { userId, roomId }: Asked) {
  const [{ ways, memberships }, stays, visibilities, powers, nesting] = await Promise.all([
    reachOf(graph, userId),
    graph.staysOf(userId),
    graph.visibilitiesOf([roomId]),
    graph.powersOf(userId),
    graph.spacesOf([roomId]),
  ]);
  const way = ways.get(roomId);
  const onWay = way ? roomsOnWay(ways, roomId) : [roomId];
  const admissions = onWay.length > 1 ? await graph.admissionsInto([roomId]) : [];
  const membership = memberships.get(roomId);
  const own = stays.filter((stay) => stay.roomId === roomId);
  const power = powers.find((each) => each.roomId === roomId);
  const around = nesting.map(({ spaceId }) => spaceId).filter((id) => memberships.get(id)?.membership === "join");
  const spaceIds = [...new Set(around)];
  const first = memberships.get(onWay[0] ?? roomId);
  const others = [userId, first?.byUser, first?.invitedBy, first?.vouchedBy, power?.grantedBy];
  const people = [...others, ...admissions.map((each) => each.byUser)].filter((each) => typeof each === "string");
  const names = await namesOf(graph, people, [...onWay, ...spaceIds]);
  if (!names.rooms.has(roomId)) throw matrixError("M_NOT_FOUND", "The access graph knows no room with this id.");
  const sorted = visibilities.toSorted((a, b) => a.position - b.position);
  const spans = spansOf({ visibilities: sorted, stays: own, membership });
  const ends = [personNode(names.people.get(userId), userId), roomNode(names.rooms.get(roomId), roomId)];
  const path = way
    ? pathOf({ userId, roomId, ways, memberships, admissions, names })
    : { nodes: ends, edges: [], sentence: "" };
  const isFormer = !way && own.length > 0 && spans.length > 0;
  return { way, names, spaceIds, path, spans, power, membership, isFormer, room: names.rooms.get(roomId) };
}

function detailsOf({ way, isFormer, spans, power, names, spaceIds, room }: Facts): string[] {
  const level =
    power &&
    `Has power there: ${levelWords(power.level)}, given by ${names.person(power.grantedBy)}, ${day(power.granted_ms)}.`;
  return [
    ...(way || isFormer ? [sightSentence(spans, way?.how === "member" || isFormer)] : []),
    ...(level ? [level] : []),
    ...spaceIds.map((id) => `Is in ${names.room(id)}, which has this room in it.`),
    ...(room?.encrypted_ms
      ? [`Encrypted since ${day(room.encrypted_ms)}: what is sent is read by devices that were given its keys.`]
      : []),
  ];
}

const labelOf = (nodes: readonly { id: string; label: string }[], id: string) =>
  nodes.find((node) => node.id === id)?.label ?? id;

function noWay({ names, isFormer, membership }: Facts, { userId, roomId }: Asked): string {
  const [who, room] = [names.person(userId), names.room(roomId)];
  if (isFormer) return `${who} can not read what is sent into ${room} now, and reads on what was sent there before.`;
  const reason = membership?.membership === "ban" ? ": they are banned" : ", and nothing lets them in";
  return `${who} can not read ${room}${reason}.`;
}

/** What of the room is seen, by whoever is or was in it; others see what the room shows them once they come in. */
function sightSentence(spans: readonly Span[], isKnown: boolean): string {
  const [first] = spans;
  const last = spans.at(-1);
  if (!isKnown || !first || !last) return "They see of the history what it shows to whoever comes in.";
  const gaps = spans.length > 1 ? `, in ${spans.length} stretches` : "";
  return `They see what was sent from ${day(first.from_ms)} ${last.until === null ? "on" : `to ${day(last.until_ms)}`}${gaps}.`;
}
