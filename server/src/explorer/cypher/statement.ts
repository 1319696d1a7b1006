/**
 * Cypher as SQL, which is how AGE takes it: `select c1 from cypher('graph', $tag$…$tag$, $1) as (c1 agtype)`. The text stands
 * between dollar quotes with a tag of 96 random bits that is looked for in it, the graph's name is one that the catalogue gave, columns have
 * names of ours, and parameters are a value of the prepared statement: nothing that a person wrote is SQL.
 */
import { matrixError } from "../../errors.ts";
import { randomToken, type Seams } from "../../seams.ts";
import { syntaxError } from "./tokens.ts";

export interface Statement {
  sql: string;
  values: readonly string[];
  /** Where the Cypher text begins in `sql`, in characters from 0: PostgreSQL tells where an error is. */
  offset: number;
}

export interface StatementOptions {
  graph: string;
  cypher: string;
  columns: number;
  /** JSON of an object; undefined where the text has no parameter. */
  parameters?: string | undefined;
  seams: Seams;
}

/** As AGE allows them: others are not in its catalogue either. */
const GRAPH_NAME = /^[A-Za-z_\u0080-\uffff][\w.\-$\u0080-\uffff]{1,61}[\w$\u0080-\uffff]$/;

export function statementFor({ graph, cypher, columns, parameters, seams }: StatementOptions): Statement {
  if (!GRAPH_NAME.test(graph)) throw matrixError("M_INVALID_PARAM", "This is no name of a graph.");
  const nul = cypher.indexOf("\0");
  if (nul !== -1) throw syntaxError("The character NUL can not stand here.", nul);
  const quote = quoteFor(cypher, seams);
  const names = Array.from({ length: Math.max(1, columns) }, (_, i) => `c${i + 1}`);
  const given = parameters === undefined ? "" : ", $1";
  // With its type, as another schema of the search path may have a type of this name.
  const head = `select ${names.join(", ")} from ag_catalog.cypher('${graph}', ${quote}`;
  const tail = `${quote}${given}) as (${names.map((name) => `${name} ag_catalog.agtype`).join(", ")})`;
  return {
    sql: `${head}${cypher}${tail}`,
    values: parameters === undefined ? [] : [parameters],
    offset: head.length,
  };
}

/** A text that holds `$` and the tag by chance gets another. */
function quoteFor(cypher: string, seams: Seams): string {
  for (;;) {
    const tag = `q${randomToken(seams, 12).replaceAll("-", "_")}`;
    if (!cypher.includes(tag)) return `$${tag}$`;
  }
}
