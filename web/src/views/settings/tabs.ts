import type { MatrixClient } from "matrix-js-sdk";

export interface ClientProps {
  client: MatrixClient;
}

export type TabId = "profile" | "notifications" | "appearance" | "devices" | "recovery" | "keyboard" | "about";

/** The pages of the settings, in their order. */
export const TABS: { id: TabId; title: string }[] = [
  { id: "profile", title: "Profile" },
  { id: "notifications", title: "Notifications" },
  { id: "appearance", title: "Appearance" },
  { id: "devices", title: "Devices & security" },
  { id: "recovery", title: "Recovery" },
  { id: "keyboard", title: "Keyboard" },
  { id: "about", title: "About" },
];
