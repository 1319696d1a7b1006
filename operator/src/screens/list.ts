/**
 * Every screen of the console: its place in the navigation and its module, which is loaded when it is first opened. A screen is a folder
 * here; its line below is all that the frame knows of it.
 */
import type { ComponentType } from "react";
import type { IconName } from "../../../web/src/ui/Icon.tsx";

export interface ScreenEntry {
  /** Its address below /admin. Further paths of the screen, with `$name` for a part that varies. */
  path: string;
  further?: readonly string[];
  label: string;
  icon: IconName;
  load: () => Promise<{ default: ComponentType }>;
}

export interface ScreenGroup {
  title?: string;
  screens: readonly ScreenEntry[];
}

export const groups: readonly ScreenGroup[] = [
  {
    screens: [{ path: "/", label: "Overview", icon: "home", load: () => import("./overview/Overview.tsx") }],
  },
];
