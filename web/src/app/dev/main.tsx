/**
 * The screens with invented people, for design work and screenshots; `npm run dev -w web`, then `/dev.html`.
 * Query: `path` (a messenger's address), `theme`, `connection`, `layer`, `empty`. It is no part of the built app.
 */
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import type { Connection } from "../../models/connection/connection.ts";
import "../../ui/fonts.ts";
import "../../ui/tokens.css";
import "../../ui/base.css";
import { type Layer, useLayers } from "../layers.ts";
import { Shell } from "../Shell.tsx";
import { fakeMessenger } from "./fakeMessenger.ts";

const query = new URLSearchParams(location.search);
const theme = query.get("theme");
if (theme) document.documentElement.dataset["theme"] = theme;

const connections: Record<string, Connection> = {
  offline: { phase: "offline" },
  reconnecting: { phase: "reconnecting" },
  refused: { phase: "refused", reason: "maintenance until 10:00", retryAt_ms: Date.now() + 30_000 },
};
const messenger = fakeMessenger({
  connection: connections[query.get("connection") ?? ""] ?? { phase: "connected" },
  empty: query.has("empty"),
});
const layer = query.get("layer");
if (layer) useLayers.setState({ current: { layer, roomId: "!incident-0412" } as Layer });

const { hook } = memoryLocation({ path: query.get("path") ?? "/c/!incident-0412" });
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <Router hook={hook}>
      <Shell messenger={messenger} />
    </Router>,
  );
}
