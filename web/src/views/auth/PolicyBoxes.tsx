import { type Accepted, type Policy, textOf } from "../../models/session/policies.ts";
import styles from "./PolicyBoxes.module.css";

interface PolicyBoxesProps {
  policies: readonly Policy[];
  accepted: Accepted;
  onChange: (accepted: Accepted) => void;
}

/** A box and a link for each policy that an account here needs to be accepted. */
export function PolicyBoxes({ policies, accepted, onChange }: PolicyBoxesProps) {
  return policies.map((policy) => {
    const { name, url, language } = textOf(policy, navigator.languages);
    const tick = (isTicked: boolean) => {
      const { [policy.id]: _, ...others } = accepted;
      onChange(isTicked ? { ...others, [policy.id]: policy.version } : others);
    };
    return (
      <label key={policy.id} className={styles["box"]}>
        <input
          type="checkbox"
          required
          checked={accepted[policy.id] === policy.version}
          onChange={({ target }) => tick(target.checked)}
        />
        <span>
          I have read and accept{" "}
          <a href={url} hrefLang={language} target="_blank" rel="noreferrer">
            {name}
          </a>
        </span>
      </label>
    );
  });
}
