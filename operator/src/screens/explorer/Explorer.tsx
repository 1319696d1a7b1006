import { useState } from "react";
import { Button, IconButton } from "../../../../web/src/ui/Button.tsx";
import { MenuButton } from "../../../../web/src/ui/Menu.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { useOperator } from "../../frame/context.ts";
import { Screen } from "../../frame/Screen.tsx";
import { pathOf, Problem } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import { useAddress } from "../../model/useSearch.ts";
import { ask } from "../../parts/acts.ts";
import { Empty, Failed, Loading, NeedsRole } from "../../parts/States.tsx";
import { holds } from "../../session.ts";
import { addConnection, changeConnection, removeConnection, tryConnection } from "./connections.ts";
import { QueryPane } from "./QueryPane.tsx";
import { SchemaTree } from "./SchemaTree.tsx";
import type { Connection, GraphInfo, Schema } from "./shapes.ts";
import { graphPath } from "./useQueryRun.ts";
import styles from "./Explorer.module.css";

/** Graphs in any PostgreSQL with Apache AGE: what is in them, and questions to them in Cypher. */
export default function Explorer() {
  const { search, set } = useAddress();
  const { data, error, refetch } = useAnswer<{ items: Connection[] }>("/explorer/connections");
  const open = (next: Record<string, string>) => set(next, { isStep: true });
  const add = () => ask(addConnection((id) => open({ connection: id })));
  const connections = data?.items ?? [];
  const connection = connections.find(({ id }) => id === search["connection"]) ?? connections[0];
  const action = (
    <Button icon="plus" onPress={add}>
      Add connection
    </Button>
  );
  return (
    <Screen title="Explorer" detail="Graphs in PostgreSQL with Apache AGE" action={action} fills>
      {error ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : connection ? (
        <Opened
          key={connection.id}
          {...{ connection, connections }}
          graph={typeof search["graph"] === "string" ? search["graph"] : undefined}
          onOpen={open}
        />
      ) : (
        <Loading />
      )}
    </Screen>
  );
}

interface OpenedProps {
  connection: Connection;
  connections: readonly Connection[];
  graph: string | undefined;
  onOpen: (next: Record<string, string>) => void;
}

function Opened({ connection, connections, graph: wanted, onOpen }: OpenedProps) {
  const { role } = useOperator();
  const mayAsk = !connection.is_own || holds(role, "owner");
  const { id } = connection;
  const { data, error, refetch } = useAnswer<{ items: GraphInfo[] }>(pathOf`/explorer/connections/${id}/graphs`);
  const graphs = data?.items ?? [];
  const graph = (graphs.find(({ name }) => name === wanted) ?? graphs[0])?.name;
  const [draft, setDraft] = useState<{ cypher: string; count: number }>({ cypher: "", count: 0 });
  const schema = useAnswer<Schema>(graphPath({ connection: id, graph: graph ?? "" }), { enabled: graph !== undefined });
  return (
    <div className={styles["panes"]}>
      <nav className={styles["left"]} aria-label="Connection and schema">
        <ConnectionBar {...{ connection, connections, onOpen }} />
        {error && <NoGraphs error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Loading />}
        {data && graphs.length === 0 && (
          <Empty>
            This database has no graph yet: its owner makes one with select ag_catalog.create_graph('name').
          </Empty>
        )}
        {graph !== undefined && (
          <label className={styles["graphChoice"]}>
            Graph
            <select value={graph} onChange={({ target }) => onOpen({ connection: id, graph: target.value })}>
              {graphs.map(({ name, labels, edges }) => (
                <option key={name} value={name}>
                  {name} ({labels} labels, {edges} edge types)
                </option>
              ))}
            </select>
          </label>
        )}
        {schema.error && <Failed error={schema.error} onRetry={() => void schema.refetch()} />}
        {schema.data && (
          <SchemaTree
            schema={schema.data}
            onAsk={mayAsk ? (cypher) => setDraft(({ count }) => ({ cypher, count: count + 1 })) : undefined}
          />
        )}
      </nav>
      {graph === undefined ? (
        <div className={styles["centre"]} />
      ) : !mayAsk ? (
        <div className={styles["centre"]}>
          <NeedsRole least="owner">
            <p>Queries on Parley's own database are for owners. What it knows is answered under Access graph.</p>
          </NeedsRole>
        </div>
      ) : (
        <QueryPane
          key={graph}
          place={{ connection: id, graph }}
          schema={schema.data}
          draft={draft}
          mayWrite={!connection.is_own}
        />
      )}
    </div>
  );
}

type BarProps = Pick<OpenedProps, "connection" | "connections" | "onOpen">;

function ConnectionBar({ connection, connections, onOpen }: BarProps) {
  const { id, is_own, host, port, database, user } = connection;
  const acts = [
    { id: "change", label: "Change", onAction: () => ask(changeConnection(connection)) },
    {
      id: "remove",
      label: "Remove",
      danger: true,
      onAction: () => ask(removeConnection(connection, () => onOpen({}))),
    },
  ];
  return (
    <div className={styles["connection"]}>
      <label className={styles["graphChoice"]}>
        Connection
        <select value={id} onChange={({ target }) => onOpen({ connection: target.value })}>
          {connections.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </select>
      </label>
      <div className={styles["connectionRow"]}>
        <p className={styles["quiet"]}>
          {is_own ? "Parley's own database, only read" : `${user}@${host}:${port}/${database}`}
        </p>
        <Button size="compact" variant="quiet" onPress={() => ask(tryConnection(connection))}>
          Test
        </Button>
        {!is_own && (
          <MenuButton label="Connection" placement="bottom end" groups={[{ entries: acts }]}>
            {(trigger) => <IconButton {...trigger} icon="more" label="More" size="compact" />}
          </MenuButton>
        )}
      </div>
    </div>
  );
}

/** A database without AGE is not a failure: it says what is to be done, and what works all the same. */
function NoGraphs({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (!(error instanceof Problem) || error.fields["reason"] !== "no_age")
    return <Failed error={error} onRetry={onRetry} />;
  return (
    <div className={styles["missing"]}>
      <Notice tone="warn" title="No Apache AGE here">
        {error.message}
      </Notice>
      <pre className={styles["command"]}>create extension age;</pre>
      <Button size="compact" icon="refresh" onPress={onRetry}>
        Look again
      </Button>
    </div>
  );
}
