import { Link } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { exactTime } from "../../model/time.ts";
import type { GraphEdge, GraphNode } from "./canvas/model.ts";
import type { Search } from "../../model/search.ts";
import { textOf, wordsOf } from "./questions.ts";
import styles from "./Graph.module.css";

export interface InspectorProps {
  node: GraphNode | undefined;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  sentence: string;
  details: readonly string[];
  /** What was asked. */
  search: Search;
}

/** The answer in words; of what is chosen, what it is and what it has to do with. */
export function Inspector({ node, nodes, edges, sentence, details, search }: InspectorProps) {
  return (
    <aside className={styles["inspector"]} aria-label="Details">
      <section aria-live="polite">
        <h2 className={styles["heading"]}>Answer</h2>
        <p className={styles["sentence"]}>{sentence}</p>
        {details.map((detail) => (
          <p key={detail} className={styles["note"]}>
            {detail}
          </p>
        ))}
        <AboutLinks search={search} />
      </section>
      {node ? (
        <Chosen node={node} nodes={nodes} edges={edges} />
      ) : (
        nodes.length > 0 && (
          <p className={styles["note"]}>Choose a node to see what it is. Press it twice to see what is around it.</p>
        )
      )}
    </aside>
  );
}

/** To the pages of whom and what was asked about, where something can be done about the answer. */
function AboutLinks({ search: { user_id: userId, room_id: roomId, device_id: deviceId } }: { search: Search }) {
  return (
    <ul className={styles["links"]}>
      {userId && (
        <li>
          <Link to={deviceId ? pathOf`/users/${userId}/devices` : pathOf`/users/${userId}`}>
            {deviceId ? "Their devices, to sign them out" : "The person's page"}
          </Link>
        </li>
      )}
      {roomId && (
        <li>
          <Link to={pathOf`/rooms/${roomId}`}>The room's page</Link>
        </li>
      )}
    </ul>
  );
}

function Chosen({ node, nodes, edges }: Pick<InspectorProps, "nodes" | "edges"> & { node: GraphNode }) {
  const own = edges.filter(({ from, to }) => from === node.id || to === node.id);
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const told = Object.entries(node.properties).map(([name, value]) => [wordsOf(name), textOf(name, value, exactTime)]);
  const facts = [["Type", node.type], ...told, ["Edges", own.length.toLocaleString()]];
  const { user_id: userId, room_id: roomId, device_id: deviceId } = node.properties;
  return (
    <section>
      <h2 className={styles["heading"]}>{node.label}</h2>
      <dl className={styles["facts"]}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <ul className={styles["links"]}>
        {typeof roomId === "string" && (
          <li>
            <Link to={pathOf`/rooms/${roomId}`}>Open the room</Link>
          </li>
        )}
        {typeof userId === "string" && (
          <li>
            <Link to={pathOf`/users/${userId}`}>Open the person</Link>
          </li>
        )}
        {typeof deviceId === "string" && (
          <li>
            <Link to="." search={{ question: "exposed", user_id: String(userId), device_id: deviceId }}>
              What it exposed
            </Link>
          </li>
        )}
      </ul>
      <ul className={styles["edges"]}>
        {own.slice(0, 20).map(({ id, from, to, label }) => (
          <li key={id}>
            {labels.get(from)} → {label} → {labels.get(to)}
          </li>
        ))}
        {own.length > 20 && <li>and {own.length - 20} more</li>}
      </ul>
    </section>
  );
}
