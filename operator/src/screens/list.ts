/**
 * Every screen of the console: its place in the navigation and its module, which is loaded when it is first opened. A screen is a folder
 * here; its line below is all that the frame knows of it.
 */
import type { ComponentType } from "react";
import type { IconName } from "../../../web/src/ui/Icon.tsx";

export interface ScreenEntry {
  /** Its address below /admin. */
  path: string;
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
  {
    title: "People",
    screens: [{ path: "/users", label: "Users", icon: "people", load: () => import("./users/Users.tsx") }],
  },
  {
    title: "Rooms",
    screens: [{ path: "/rooms", label: "Rooms and spaces", icon: "hash", load: () => import("./rooms/Rooms.tsx") }],
  },
  {
    title: "Server",
    screens: [
      {
        path: "/registration",
        label: "Registration and sign-in",
        icon: "key",
        load: () => import("./registration/Registration.tsx"),
      },
      { path: "/audit", label: "Audit log", icon: "list", load: () => import("./audit/Audit.tsx") },
      { path: "/system", label: "Jobs and system", icon: "settings", load: () => import("./system/System.tsx") },
    ],
  },
];

/** Further addresses of screens: of one thing each, which a list leads to, and of their tabs. */
export const details: readonly Pick<ScreenEntry, "path" | "load">[] = [
  { path: "/users/$userId", load: () => import("./users/UserScreen.tsx") },
  { path: "/users/$userId/$tab", load: () => import("./users/UserScreen.tsx") },
  { path: "/rooms/$roomId", load: () => import("./rooms/RoomScreen.tsx") },
  { path: "/rooms/$roomId/$tab", load: () => import("./rooms/RoomScreen.tsx") },
  { path: "/system/$tab", load: () => import("./system/System.tsx") },
  { path: "/registration/$tab", load: () => import("./registration/Registration.tsx") },
];
