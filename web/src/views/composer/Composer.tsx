import { type ChangeEvent, type ClipboardEvent, type KeyboardEvent, lazy, Suspense, useRef, useState } from "react";
import { useSnapshot } from "../../app/context.ts";
import { makeLink, type Selected } from "../../models/composer/caret.ts";
import { safeHref } from "../../models/format/links.ts";
import type { ComposerModel, TimelineModel } from "../../models/room/model.ts";
import { cx } from "../../ui/cx.ts";
import { Banner } from "./Banner.tsx";
import { keyAction } from "./keys.ts";
import { SuggestionList } from "./SuggestionList.tsx";
import { Tools } from "./Tools.tsx";
import { useSuggestions } from "./useSuggestions.ts";
import { selectionOf, useTextArea } from "./useTextArea.ts";
import styles from "./Composer.module.css";

const FormatBar = lazy(async () => ({ default: (await import("./FormatBar.tsx")).FormatBar }));

export interface ComposerProps {
  composer: ComposerModel;
  timeline: TimelineModel;
  placeholder: string;
  /** A thread's composer leaves out what its place has no room for. */
  small?: boolean;
}

/** Where one writes. Enter sends, Shift+Enter makes a line; inside a code block Enter makes a line. */
export function Composer({ composer, timeline, placeholder, small = false }: ComposerProps) {
  const draft = useSnapshot(composer.store);
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const [formatting, setFormatting] = useState(false);
  const apply = useTextArea(area, draft, composer);
  const suggestions = useSuggestions({ composer, draft, area, apply });
  const change = (edit: (selected: Selected) => Selected) => {
    const next = edit(selectionOf(area.current, draft.text));
    apply(next);
    suggestions.look(next.text, next.end);
  };
  const attach = () => files.current?.click();
  const onChange = (event: ChangeEvent<HTMLTextAreaElement>) => {
    composer.edit({ text: event.target.value });
    composer.typing(event.target.value.trim() !== "");
    suggestions.look(event.target.value, event.target.selectionStart);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || suggestions.onKey(event)) return;
    if (keyAction(event, { composer, timeline, draft, change, attach })) event.preventDefault();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (paste(event, { composer, selected: selectionOf(area.current, draft.text), change })) event.preventDefault();
  };
  return (
    <div className={cx(styles["frame"], small && styles["small"])} data-region="composer">
      <SuggestionList suggestions={suggestions} />
      <div className={styles["box"]}>
        <Banner draft={draft} onCancel={() => composer.cancel()} />
        <Suspense>{formatting && <FormatBar onEdit={change} />}</Suspense>
        <textarea
          ref={area}
          className={styles["text"]}
          value={draft.text}
          rows={1}
          placeholder={placeholder}
          aria-label={placeholder}
          dir="auto"
          onChange={onChange}
          onKeyDown={onKeyDown}
          onBlur={suggestions.close}
          onPaste={onPaste}
          {...suggestions.aria}
        />
        <input
          ref={files}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-label="Files"
          onChange={(event) => takeFiles(event, composer)}
        />
        <Tools
          draft={draft}
          small={small}
          formatting={formatting}
          onFormatting={() => setFormatting(!formatting)}
          onAttach={attach}
          onEdit={change}
          onSend={() => composer.send()}
        />
      </div>
    </div>
  );
}

interface PasteContext {
  composer: ComposerModel;
  selected: Selected;
  change: (edit: (selected: Selected) => Selected) => void;
}

/** Files become attachments, an address over selected words becomes a link; true when it did something. */
function paste(event: ClipboardEvent, { composer, selected, change }: PasteContext): boolean {
  const files = [...event.clipboardData.files];
  if (files.length > 0) {
    composer.attach(files);
    return true;
  }
  const text = event.clipboardData.getData("text/plain").trim();
  const href = /^https?:\/\/\S+$/.test(text) && selected.end > selected.start ? safeHref(text) : null;
  if (!href) return false;
  change((selection) => makeLink(selection, href));
  return true;
}

function takeFiles(event: ChangeEvent<HTMLInputElement>, composer: ComposerModel): void {
  composer.attach([...(event.target.files ?? [])]);
  event.target.value = "";
}
