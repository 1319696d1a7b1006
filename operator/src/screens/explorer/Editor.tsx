import { autocompletion, closeBrackets, closeCompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { completionsFor, cypherLanguage } from "./cypher.ts";
import type { Schema } from "./shapes.ts";
import styles from "./Explorer.module.css";

export interface EditorProps {
  value: string;
  onChange: (value: string) => void;
  onRun: () => void;
  schema: Schema | undefined;
  /** Where the database found an error, in UTF-16 units. */
  errorAt: number | undefined;
}

/**
 * The editor stands in a shadow root: there its styles are constructed sheets, which the policy of the page allows, and no element with
 * text in it, which the policy refuses.
 */
export function Editor({ value, onChange, onRun, schema, errorAt }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, onRun });
  useEffect(() => {
    latest.current = { onChange, onRun };
  });
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const opened = open(root, latest);
    view.current = opened;
    return () => {
      opened.destroy();
      view.current = undefined;
    };
  }, []);
  useEffect(() => {
    const current = view.current;
    if (current && current.state.doc.toString() !== value)
      current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({
      effects: completing.reconfigure(autocompletion({ override: [completionsFor(schema)], selectOnOpen: false })),
    });
  }, [schema]);
  useEffect(() => {
    view.current?.dispatch({ effects: setError.of(errorAt) });
  }, [errorAt]);
  return <div ref={host} className={styles["editor"]} data-editor="cypher" />;
}

const completing = new Compartment();
const setError = StateEffect.define<number | undefined>();
const mark = Decoration.mark({ class: "cm-caret-error" });
const endMark = Decoration.line({ class: "cm-line-error" });

/** What is wrong is underlined from its place to the end of its word; a change takes the line away. */
const errorField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    const asked = transaction.effects.find((effect) => effect.is(setError));
    if (asked?.is(setError)) return marksAt(transaction.state, asked.value);
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksAt({ doc }: EditorState, at: number | undefined): DecorationSet {
  if (at === undefined) return Decoration.none;
  const from = Math.min(at, doc.length);
  const line = doc.lineAt(from);
  const word = /^\w+|^./.exec(line.text.slice(from - line.from))?.[0] ?? "";
  return word === ""
    ? Decoration.set([endMark.range(line.from)])
    : Decoration.set([mark.range(from, from + word.length)]);
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: tags.number, color: "var(--warn)" },
  { tag: tags.comment, color: "var(--text-3)", fontStyle: "italic" },
  { tag: tags.typeName, color: "var(--link)" },
  { tag: tags.atom, color: "var(--warn)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--bg)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--bg-subtle)", color: "var(--text-3)", border: "none" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--bg-sel)" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-caret-error": { textDecoration: "underline wavy var(--danger) 2px", textUnderlineOffset: "3px" },
  ".cm-line-error": { boxShadow: "inset 3px 0 0 var(--danger)" },
  ".cm-tooltip": {
    backgroundColor: "var(--bg)",
    color: "var(--text)",
    border: "1px solid var(--border)",
    boxShadow: "var(--shadow)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--bg-sel)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--text-2)" },
});

interface Latest {
  current: Pick<EditorProps, "onChange" | "onRun">;
}

function open(root: ShadowRoot, latest: Latest): EditorView {
  const run = (editor: EditorView) => (closeCompletion(editor), latest.current.onRun(), true);
  const state = EditorState.create({
    extensions: [
      lineNumbers(),
      history(),
      bracketMatching(),
      closeBrackets(),
      cypherLanguage,
      syntaxHighlighting(colours),
      look,
      errorField,
      completing.of(autocompletion()),
      placeholder("MATCH (n) RETURN n LIMIT 25"),
      keymap.of([
        { key: "Mod-Enter", run, preventDefault: true },
        ...completionKeymap,
        ...defaultKeymap,
        ...historyKeymap,
      ]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Cypher query", spellcheck: "false" }),
      EditorView.updateListener.of(({ docChanged, state: next }) => {
        if (docChanged) latest.current.onChange(next.doc.toString());
      }),
    ],
  });
  return new EditorView({ state, parent: root, root });
}
