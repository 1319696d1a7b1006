import { Button, IconButton } from "../../../../web/src/ui/Button.tsx";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { layoutNames } from "./canvas/model.ts";
import styles from "./Graph.module.css";

export const views = ["graph", "table", "text"] as const;
export type View = (typeof views)[number];

const forms = ["png", "svg", "csv", "json"] as const;
export type Form = (typeof forms)[number];
const isPicture = (form: Form) => form === "png" || form === "svg";

export interface ToolbarProps {
  view: View;
  layout: string;
  depth: string;
  find: string;
  isLocked: boolean;
  /** Sets one part of the address. */
  onChange: (name: string, value: string) => void;
  onFit: () => void;
  onExport: (form: Form) => void;
}

const LABELS = { graph: "Graph", table: "Table", text: "Text" } as const;

/** What is shown of an answer, and how. */
export function Toolbar({ view, layout, depth, find, isLocked, onChange, onFit, onExport }: ToolbarProps) {
  const isGraph = view === "graph";
  return (
    <div className={styles["toolbar"]} role="toolbar" aria-label="View">
      <Choice
        label="View"
        value={view}
        options={views.map((each) => [each, LABELS[each]])}
        onChange={(value) => onChange("view", value)}
      />
      {isGraph && (
        <>
          <Choice
            label="Layout"
            value={layout}
            options={layoutNames.map((each) => [each, each])}
            onChange={(value) => onChange("layout", value)}
          />
          <Choice
            label="Depth"
            value={depth}
            options={["1", "2", "3", "4"].map((each) => [each, `depth ${each}`])}
            onChange={(value) => onChange("depth", value)}
          />
          <Field
            label="Find"
            hideLabel
            placeholder="Find"
            value={find}
            onChange={(value) => onChange("find", value)}
            className={styles["find"]}
          />
          <Button size="compact" onPress={onFit}>
            Fit
          </Button>
          <IconButton
            icon="lock"
            label="Lock: nothing is dragged"
            size="compact"
            pressed={isLocked}
            onPress={() => onChange("lock", isLocked ? "" : "1")}
          />
        </>
      )}
      {!isGraph && <span className={styles["gap"]} />}
      <Choice
        label="Save as"
        value=""
        options={[
          ["", "Save as…"],
          ...forms.filter((form) => isGraph || !isPicture(form)).map((form) => [form, form.toUpperCase()] as const),
        ]}
        onChange={(form) => form !== "" && onExport(form as Form)}
      />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <select
      className={styles["choice"]}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map(([each, words]) => (
        <option key={each} value={each}>
          {words}
        </option>
      ))}
    </select>
  );
}
