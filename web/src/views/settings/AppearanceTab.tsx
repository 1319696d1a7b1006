import { useState } from "react";
import { setTheme, type Theme, useTheme } from "../../ui/theme.ts";
import { type Appearance, type Density, readAppearance, setAppearance, TEXT_SIZES_PX } from "./appearance.ts";
import { Choice, Section } from "./controls.tsx";
import styles from "./AppearanceTab.module.css";

const THEMES: { value: Theme; label: string }[] = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

const DENSITIES: { value: Density; label: string }[] = [
  { value: "compact", label: "Compact" },
  { value: "default", label: "Default" },
  { value: "roomy", label: "Roomy" },
];

/** How Parley looks on this device. Every choice shows at once. */
export function AppearanceTab() {
  const theme = useTheme();
  const [appearance, show] = useState(readAppearance);
  const change = (part: Partial<Appearance>) => {
    const next = { ...appearance, ...part };
    setAppearance(next);
    show(next);
  };
  return (
    <>
      <Section title="Colours">
        <Choice label="Theme" options={THEMES} value={theme} onChange={setTheme} />
      </Section>
      <Section title="Messages">
        <Choice
          label="Density"
          options={DENSITIES}
          value={appearance.density}
          onChange={(density) => change({ density })}
        />
        <Choice
          label="Text size"
          options={TEXT_SIZES_PX.map((size) => ({ value: `${size}`, label: `${size}` }))}
          value={`${appearance.text_px}`}
          onChange={(size) => change({ text_px: Number(size) })}
        />
        <p className={styles.sample}>Rolling back build 2211 now. Can somebody confirm that the index is in use?</p>
      </Section>
    </>
  );
}
