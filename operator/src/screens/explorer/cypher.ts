/** Cypher for the editor: its colours, and what may come next, with the names of the schema. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { StreamLanguage, type StringStream } from "@codemirror/language";
import { KEYWORDS, keywords, written } from "./names.ts";
import type { Schema } from "./shapes.ts";

/** Those that Apache AGE has. */
const FUNCTIONS =
  "count sum avg min max collect stdev percentilecont id label labels type properties keys nodes relationships length size startNode endNode head last tail reverse range coalesce timestamp toString toInteger toFloat toBoolean toUpper toLower trim lTrim rTrim left right substring replace split exists abs ceil floor round sign sqrt rand log exp".split(
    " ",
  );

interface State {
  isInComment: boolean;
}

function token(stream: StringStream, state: State): string | null {
  if (state.isInComment) {
    state.isInComment = !stream.match(/^.*?\*\//);
    if (state.isInComment) stream.skipToEnd();
    return "comment";
  }
  if (stream.eatSpace()) return null;
  if (stream.match("//")) return (stream.skipToEnd(), "comment");
  if (stream.match("/*")) return ((state.isInComment = true), "comment");
  if (stream.match(/^(?:'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?)/)) return "string";
  if (stream.match(/^`(?:[^`]|``)*`?/)) return "variableName";
  if (stream.match(/^\$\w+/)) return "atom";
  if (stream.match(/^(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i)) return "number";
  if (stream.match(/^:\s*\w+/)) return "typeName";
  const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
  if (!word) return (stream.next(), "operator");
  if (keywords.has(word[0].toUpperCase())) return "keyword";
  return stream.match(/^\s*\(/, false) ? "variableName.function" : "variableName";
}

export const cypherLanguage = StreamLanguage.define<State>({
  name: "cypher",
  startState: () => ({ isInComment: false }),
  token,
  tokenTable: {},
  languageData: { closeBrackets: { brackets: ["(", "[", "{", "'", '"', "`"] }, commentTokens: { line: "//" } },
});

/** What may stand at the cursor: labels and edge types behind a colon, properties behind a dot, else words and functions. */
export function completionsFor(schema: Schema | undefined) {
  return (context: CompletionContext): CompletionResult | null => {
    const before = context.matchBefore(/[:.]?\s*`?[\w]*/);
    if (!before || (before.from === before.to && !context.explicit)) return null;
    const mark = before.text.charAt(0);
    const from = before.to - /\w*$/.exec(before.text)![0].length;
    const options = mark === ":" ? namesOf(schema, isInEdge(context)) : mark === "." ? propertiesIn(schema) : words;
    return { from, options, validFor: /^\w*$/ };
  };
}

const words: Completion[] = [
  ...KEYWORDS.map((label) => ({ label, type: "keyword" })),
  ...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(` })),
];

function isInEdge({ state, pos }: CompletionContext): boolean {
  const text = state.doc.sliceString(Math.max(0, pos - 200), pos);
  return text.lastIndexOf("[") > Math.max(text.lastIndexOf("]"), text.lastIndexOf("("));
}

function namesOf(schema: Schema | undefined, isEdge: boolean): Completion[] {
  const names = isEdge ? schema?.edges : schema?.labels;
  return (names ?? []).map(({ name, count }) => ({
    label: name,
    type: isEdge ? "interface" : "class",
    detail: count.toLocaleString("en"),
    apply: written(name),
  }));
}

function propertiesIn(schema: Schema | undefined): Completion[] {
  const all = [...(schema?.labels ?? []), ...(schema?.edges ?? [])];
  const names = new Set(all.flatMap(({ properties }) => properties.map(({ name }) => name)));
  return [...names].map((label) => ({ label, type: "property", apply: written(label) }));
}
