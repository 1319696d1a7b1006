import { IconButton } from "../../../../web/src/ui/Button.tsx";
import { Mark } from "../graph/canvas/Legend.tsx";
import { useEffectiveTheme } from "../graph/canvas/useEffectiveTheme.ts";
import { grouped } from "../../parts/words.ts";
import { written } from "./names.ts";
import type { EdgeInfo, LabelInfo, Schema } from "./shapes.ts";
import styles from "./Explorer.module.css";

interface TreeProps {
  schema: Schema;
  /** Puts a query into the editor, where there is one. */
  onAsk: ((cypher: string) => void) | undefined;
}

/** What is in a graph. Each label and each type is a question away. */
export function SchemaTree({ schema, onAsk }: TreeProps) {
  const { labels, edges } = schema;
  return (
    <div className={styles["schema"]}>
      <h2>Labels</h2>
      {labels.length === 0 && <p className={styles["quiet"]}>This graph has no elements yet.</p>}
      <ul>
        {labels.map((label) => (
          <Entry
            key={label.name}
            info={label}
            onAsk={onAsk && (() => onAsk(`MATCH (n:${written(label.name)})\nRETURN n\nLIMIT 25`))}
          />
        ))}
      </ul>
      <h2>Edge types</h2>
      {edges.length === 0 && <p className={styles["quiet"]}>No edges yet.</p>}
      <ul>
        {edges.map((edge) => (
          <Entry
            key={edge.name}
            info={edge}
            onAsk={onAsk && (() => onAsk(`MATCH (a)-[r:${written(edge.name)}]->(b)\nRETURN a, r, b\nLIMIT 25`))}
          />
        ))}
      </ul>
      {schema.has_more && <p className={styles["quiet"]}>There are more than are shown.</p>}
    </div>
  );
}

function Entry({ info, onAsk }: { info: LabelInfo | EdgeInfo; onAsk: (() => void) | undefined }) {
  const { name, count, is_estimate, properties } = info;
  const theme = useEffectiveTheme();
  const between = "between" in info ? info.between : [];
  return (
    <li>
      <details>
        <summary>
          {!("between" in info) && <Mark type={name} theme={theme} />}
          <span className={styles["name"]}>{name}</span>
          <span className={styles["count"]}>
            {is_estimate && "about "}
            {grouped(count)}
          </span>
        </summary>
        <ul className={styles["properties"]}>
          {between.map(({ from, to }) => (
            <li key={`${from} ${to}`}>
              {from} → {to}
            </li>
          ))}
          {properties.map((property) => (
            <li key={property.name}>
              <code>{property.name}</code> <span className={styles["kind"]}>{property.kinds.join(", ")}</span>
            </li>
          ))}
          {properties.length === 0 && <li className={styles["kind"]}>no properties</li>}
        </ul>
      </details>
      {onAsk && (
        <IconButton icon="search" label={`Show some of ${name}`} size="compact" iconSize={14} onPress={onAsk} />
      )}
    </li>
  );
}
