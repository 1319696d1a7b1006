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

const users = () => import("./users/UserScreen.tsx");
const rooms = () => import("./rooms/RoomScreen.tsx");
const media = () => import("./media/Media.tsx");
const retention = () => import("./retention/Retention.tsx");
const registration = () => import("./registration/Registration.tsx");
const bots = () => import("./bots/Bots.tsx");
const imports = () => import("./imports/Imports.tsx");
const system = () => import("./system/System.tsx");

export const groups: readonly ScreenGroup[] = [
  {
    screens: [
      { path: "/", label: "Overview", icon: "home", load: () => import("./overview/Overview.tsx") },
      { path: "/metrics", label: "Metrics", icon: "monitor", load: () => import("./metrics/Metrics.tsx") },
    ],
  },
  {
    title: "People",
    screens: [
      { path: "/users", label: "Users", icon: "people", load: () => import("./users/Users.tsx") },
      { path: "/devices", label: "Devices", icon: "device", load: () => import("./devices/Devices.tsx") },
      { path: "/registration", label: "Registration, sign-in", icon: "key", load: registration },
      {
        path: "/operators",
        label: "Operators and roles",
        icon: "shield",
        load: () => import("./operators/Operators.tsx"),
      },
    ],
  },
  {
    title: "Rooms",
    screens: [
      { path: "/rooms", label: "Rooms and spaces", icon: "hash", load: () => import("./rooms/Rooms.tsx") },
      { path: "/media", label: "Media", icon: "image", load: media },
      { path: "/reports", label: "Reports", icon: "alert", load: () => import("./reports/Reports.tsx") },
      { path: "/retention", label: "Retention", icon: "clock", load: retention },
    ],
  },
  {
    title: "Access",
    screens: [
      { path: "/graph", label: "Access graph", icon: "diamond", load: () => import("./graph/Graph.tsx") },
      { path: "/explorer", label: "Explorer", icon: "code", load: () => import("./explorer/Explorer.tsx") },
      { path: "/audit", label: "Audit log", icon: "list", load: () => import("./audit/Audit.tsx") },
    ],
  },
  {
    title: "Server",
    screens: [
      { path: "/bots", label: "Bots and integrations", icon: "link", load: bots },
      { path: "/push", label: "Push notifications", icon: "bell", load: () => import("./push/Push.tsx") },
      { path: "/imports", label: "Imports", icon: "download", load: imports },
      { path: "/billing", label: "Billing", icon: "file", load: () => import("./billing/Billing.tsx") },
      { path: "/system", label: "Jobs and system", icon: "settings", load: system },
    ],
  },
];

/** Further addresses of screens: of one thing each, which a list leads to, and of their tabs. */
export const details: readonly Pick<ScreenEntry, "path" | "load">[] = [
  { path: "/users/$userId", load: users },
  { path: "/users/$userId/$tab", load: users },
  { path: "/rooms/$roomId", load: rooms },
  { path: "/rooms/$roomId/$tab", load: rooms },
  { path: "/media/$tab", load: media },
  { path: "/retention/$tab", load: retention },
  { path: "/billing/$tab", load: () => import("./billing/Billing.tsx") },
  { path: "/registration/$tab", load: registration },
  { path: "/registration/providers/new", load: () => import("./registration/NewProvider.tsx") },
  { path: "/bots/$userId", load: () => import("./bots/BotScreen.tsx") },
  { path: "/integrations/$tab", load: bots },
  { path: "/imports/$tab", load: imports },
  { path: "/imports/log/$importId", load: () => import("./imports/ImportLog.tsx") },
  { path: "/system/$tab", load: system },
];
