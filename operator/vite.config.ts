import { fileURLToPath } from "node:url";
import babel from "@rolldown/plugin-babel";
import react, { reactCompilerPreset } from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = process.env["PARLEY_DEV_SERVER"] ?? "http://localhost:8008";

export default defineConfig({
  base: "/admin/",
  plugins: [react(), babel({ presets: [reactCompilerPreset()] })],
  // The icon and the script that sets the theme before the first paint are the messenger's.
  publicDir: fileURLToPath(new URL("../web/public", import.meta.url)),
  server: { proxy: { "/api": SERVER } },
  build: { target: "es2024", assetsInlineLimit: 0 },
});
