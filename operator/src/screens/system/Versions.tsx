import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { Shown } from "../../parts/Shown.tsx";
import { count } from "../../parts/words.ts";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import type { Licence, Migrations } from "./shapes.ts";

const schemaColumns: SimpleTableProps<Migrations["items"][number]>["columns"] = [
  { id: "schema", label: "Schema", value: ({ schema }) => schema },
  { id: "has", label: "Has", value: ({ has }) => has, atEnd: true },
  { id: "needs", label: "Needs", value: ({ needs }) => needs, atEnd: true },
  { id: "since", label: "Works since", value: ({ compatible_since }) => compatible_since, atEnd: true },
  { id: "missing", label: "Missing", value: ({ missing }) => missing.join(", ") || "nothing" },
];

const licenceColumns: SimpleTableProps<Licence>["columns"] = [
  { id: "name", label: "Package", value: ({ name }) => name },
  { id: "version", label: "Version", value: ({ version }) => version },
  { id: "licence", label: "Licence", value: ({ licence }) => licence },
];

/** What the database has, and what Parley is made of. */
export function Versions() {
  const migrations = useAnswer<Migrations>("/system/migrations");
  const licences = useAnswer<{ items: Licence[] }>("/system/licences");
  return (
    <>
      <Section
        title="Schemas of the database"
        {...(migrations.data ? { intro: `This is version ${migrations.data.version}.` } : {})}
      >
        <Shown answer={migrations}>
          {({ items }) => (
            <SimpleTable label="Schemas" items={items} columns={schemaColumns} rowId={({ schema }) => schema} />
          )}
        </Shown>
      </Section>
      <Section title="Licences" intro="Of every package that is installed.">
        <Shown answer={licences}>
          {({ items }) => (
            <details>
              <summary>{count(items.length, "package")}</summary>
              <SimpleTable
                label="Licences"
                items={items}
                columns={licenceColumns}
                rowId={({ name, version }) => `${name}@${version}`}
              />
            </details>
          )}
        </Shown>
      </Section>
    </>
  );
}
