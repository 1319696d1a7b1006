/** What there is of Apache AGE, in words for an operator. */
import type { Context } from "../../context.ts";

interface Found {
  version: string | null;
  isAvailable: boolean;
  mayUse: boolean | null;
  maySelect: boolean | null;
  mayCreate: boolean;
}

export async function ageStatus(ctx: Context, mirrored: boolean): Promise<string> {
  const found = await ctx.db.graph.one<Found>(
    `select (select extversion from pg_extension where extname = 'age') as version,
       exists (select 1 from pg_available_extensions where name = 'age') as "isAvailable",
       (select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'ag_catalog') as "mayUse",
       (select bool_and(has_table_privilege(c.oid, 'select')) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'ag_catalog' and c.relname in ('ag_graph', 'ag_label')) as "maySelect",
       has_database_privilege(current_database(), 'create') as "mayCreate"`,
  );
  if (!found?.version)
    return found?.isAvailable
      ? "Apache AGE is installed and not in this database: create extension age;"
      : "This database has no Apache AGE; the questions are answered from plain tables.";
  if (mirrored) return `Apache AGE ${found.version} has the graph as parley_access.`;
  const grants = [
    ...(found.mayUse ? [] : ["grant usage on schema ag_catalog to parley_graph;"]),
    ...(found.maySelect ? [] : ["grant select on ag_catalog.ag_graph, ag_catalog.ag_label to parley_graph;"]),
    ...(found.mayCreate ? [] : ["grant create on database <this one> to parley_graph;"]),
  ];
  const fix =
    grants.length > 0
      ? `An administrator of the database has to run: ${grants.join(" ")}`
      : "The worker brings the graph there.";
  return `Apache AGE ${found.version} is there. ${fix}`;
}
