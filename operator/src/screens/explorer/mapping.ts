/** Which column of a file becomes which property. */

export const kinds = ["text", "integer", "number", "boolean"] as const;
export type Kind = (typeof kinds)[number];

export interface End {
  header: string;
  label: string;
  property: string;
  type: Kind;
}

export interface Plan {
  label: string;
  separator: string;
  columns: { header: string; property: string; type: Kind; isUsed: boolean }[];
  edge: { from: End; to: End } | undefined;
}

const HEAD_BYTES = 65_536;

export async function firstLine(file: Blob): Promise<string> {
  const text = await file.slice(0, HEAD_BYTES).text();
  return text.replace(/^\uFEFF/, "").split(/\r?\n/)[0] ?? "";
}

/** What a file of this head becomes, until the person says otherwise. */
export function planFor(head: string): Plan {
  const { separator, headers } = headersOf(head);
  const columns = headers.map((header) => ({ header, property: header, type: kindOf(header), isUsed: true }));
  return { label: "", separator, columns, edge: undefined };
}

/** The separator that cuts the line most often, and what stands between. */
function headersOf(line: string): { separator: string; headers: string[] } {
  const cut = [",", ";", "\t"].map((separator) => ({ separator, headers: cellsOf(line, separator) }));
  return cut.reduce((best, each) => (each.headers.length > best.headers.length ? each : best));
}

function cellsOf(line: string, separator: string): string[] {
  const cells =
    line.match(new RegExp(`(?:"(?:[^"]|"")*"|[^${separator}])+|(?<=^|${separator})(?=${separator}|$)`, "g")) ?? [];
  return cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}

/** A guess by the header's name, to be changed by the person. */
function kindOf(header: string): Kind {
  if (/(^|_)(age|count|year|number|since|id)$/i.test(header)) return "integer";
  if (/^(is|has)_/i.test(header)) return "boolean";
  return "text";
}

/** What the operation takes. */
export function mappingOf({ label, separator, columns, edge }: Plan) {
  const ends = edge ? [edge.from.header, edge.to.header] : [];
  const used = columns.filter(({ header, isUsed }) => isUsed && !ends.includes(header));
  return {
    label,
    separator,
    columns: used.map(({ header, property, type }) => ({ header, property, type })),
    ...(edge ? { edge } : {}),
  };
}
