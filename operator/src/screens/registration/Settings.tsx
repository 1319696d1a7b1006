import { call } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import type { Act, ActField } from "../../parts/acts.ts";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Time } from "../../parts/Time.tsx";
import { lengthOf } from "../../model/time.ts";
import { count } from "../../parts/words.ts";
import type { Setting, SignInSettings } from "./shapes.ts";
import styles from "./Settings.module.css";

interface Shape {
  name: keyof SignInSettings;
  label: string;
  says: (value: string | number | null) => string;
  field: Omit<ActField, "name" | "label">;
}

const days = (value: string | number | null) => (value === null ? "Never" : `After ${count(Number(value), "day")}`);

const REGISTRATION: Readonly<Record<string, string>> = {
  open: "Open to everybody",
  token: "With a registration token",
  off: "Nobody",
};

const shapes: readonly Shape[] = [
  {
    name: "registration",
    label: "Who may register",
    says: (value) => REGISTRATION[String(value)] ?? String(value),
    field: { options: Object.entries(REGISTRATION).map(([value, label]) => ({ value, label })) },
  },
  {
    name: "password_least_characters",
    label: "Shortest password",
    says: (value) => count(Number(value), "character"),
    field: { kind: "number", hint: "In characters. Passwords that are there stay." },
  },
  {
    name: "access_token_lifetime_s",
    label: "Access tokens are renewed",
    says: (value) => `Every ${lengthOf(Number(value) * 1_000)}`,
    field: { kind: "number", hint: "In seconds, for clients that can renew theirs." },
  },
  {
    name: "session_idle_days",
    label: "Sessions that nobody uses end",
    says: days,
    field: { kind: "number", isOptional: true, hint: "In days; empty: they do not. Tokens of bots are not meant." },
  },
  {
    name: "session_days",
    label: "Every session ends",
    says: days,
    field: { kind: "number", isOptional: true, hint: "In days after its beginning; empty: it does not." },
  },
];

/** What counts for registering and signing in, and who has set it. */
export function Settings() {
  const settings = useAnswer<SignInSettings>("/settings/sign-in");
  return (
    <Section title="Settings" intro="A change counts on every replica within five seconds. It needs the role owner.">
      <Shown answer={settings}>
        {(data) => (
          <Facts>
            {shapes.map((shape) => (
              <Fact key={shape.name} name={shape.label}>
                <One shape={shape} setting={data[shape.name]} />
              </Fact>
            ))}
          </Facts>
        )}
      </Shown>
    </Section>
  );
}

function One({ shape, setting }: { shape: Shape; setting: Setting<string | number | null> }) {
  return (
    <div className={styles["one"]}>
      <div>
        <p className={styles["value"]}>{shape.says(setting.value)}</p>
        <p className={styles["origin"]}>
          {setting.set_by === null ? (
            "The server's default"
          ) : (
            <>
              Set by {setting.set_by}, <Time at_ms={setting.set_ts} />
            </>
          )}
          {setting.limit !== null && `. The environment allows nothing laxer than: ${shape.says(setting.limit)}`}
        </p>
      </div>
      <ActButton variant="quiet" needs="owner" act={() => change(shape, setting)}>
        Change
      </ActButton>
    </div>
  );
}

function change({ name, label, field, says }: Shape, setting: Setting<string | number | null>): Act {
  const put = (value: string | number | null, reason: string) =>
    call("/settings/sign-in", { method: "PUT", body: { [name]: value, reason } });
  return {
    title: label,
    consequence:
      name === "session_days" || name === "session_idle_days"
        ? "Sessions that are older than this end within a minute; their people sign in again."
        : "It counts for everybody from now on.",
    label: "Save",
    asksReason: true,
    fields: [{ ...field, name: "value", label, initial: setting.value === null ? "" : String(setting.value) }],
    run: ({ value = "", reason = "" }) => put(valueOf(field, value), reason),
    done: `${label}: changed from ${says(setting.value).toLowerCase()}.`,
    undo: () => put(setting.set, "Taken back"),
  };
}

function valueOf({ kind }: Omit<ActField, "name" | "label">, text: string): string | number | null {
  if (text.trim() === "") return null;
  return kind === "number" ? Number(text) : text;
}
