import { KeyList } from "../switcher/Keyboard.tsx";
import { Section } from "./controls.tsx";

export function KeyboardTab() {
  return (
    <Section title="Keys">
      <KeyList />
    </Section>
  );
}
