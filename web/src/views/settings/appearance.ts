/**
 * How the app looks on this device, beyond the theme (`ui/theme.ts`): how close rows stand, and how large messages are.
 * Both are attributes of the root element that the style sheets read.
 */
export type Density = "compact" | "default" | "roomy";

export interface Appearance {
  density: Density;
  /** The size of message text in CSS pixels. */
  text_px: number;
}

export const TEXT_SIZES_PX = [13, 14, 15, 16, 18, 20] as const;

const KEY = "parley.appearance";
const DEFAULT: Appearance = { density: "default", text_px: 15 };
/** Lines of messages are this much higher than their text: 22 px for 15 px. */
const LINE_RATIO = 22 / 15;

export function readAppearance(): Appearance {
  try {
    return { ...DEFAULT, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Appearance>) };
  } catch {
    return DEFAULT;
  }
}

/** Keeps the appearance and shows it at once. */
export function setAppearance(appearance: Appearance): void {
  localStorage.setItem(KEY, JSON.stringify(appearance));
  applyAppearance();
}

/** Shows the appearance that this device keeps. */
export function applyAppearance(): void {
  const { density, text_px } = readAppearance();
  const root = document.documentElement;
  root.dataset["density"] = density;
  root.style.setProperty("--message-size", `${text_px}px`);
  root.style.setProperty("--message-line", `${Math.round(text_px * LINE_RATIO)}px`);
}
