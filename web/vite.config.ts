import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import babel from "@rolldown/plugin-babel";
import react, { reactCompilerPreset } from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const EMOJI_FILES = ["en/data.json", "en/messages.json"] as const;

/** Serves the emoji names from our own origin under `/emoji/…`, so that the picker never asks a third party. */
function emojiData(): Plugin {
  const read = (file: string) => readFile(fileURLToPath(import.meta.resolve(`emojibase-data/${file}`)));
  return {
    name: "parley-emoji-data",
    async generateBundle() {
      for (const file of EMOJI_FILES)
        this.emitFile({ type: "asset", fileName: `emoji/${file}`, source: await read(file) });
    },
    configureServer(server) {
      server.middlewares.use("/emoji", (request, response, next) => {
        const file = EMOJI_FILES.find((name) => request.url?.startsWith(`/${name}`));
        if (!file) return next();
        read(file).then(
          (body) => response.setHeader("content-type", "application/json").end(body),
          (error: unknown) => next(error),
        );
      });
    },
  };
}

const HOMESERVER = process.env["PARLEY_DEV_SERVER"] ?? "http://localhost:8008";

export default defineConfig({
  base: "/",
  plugins: [react(), babel({ presets: [reactCompilerPreset()] }), emojiData()],
  // The crypto module finds its WebAssembly beside itself; pre-bundling would move it away from it.
  optimizeDeps: { exclude: ["@matrix-org/matrix-sdk-crypto-wasm"] },
  server: { proxy: { "/_matrix": HOMESERVER, "/.well-known/matrix": HOMESERVER } },
  build: {
    target: "es2024",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: { main: "index.html", "push-worker": "src/push/worker.ts" },
      output: {
        // A browser finds a service worker again by its address, so that one has no hash.
        entryFileNames: ({ name }) => (name === "push-worker" ? "push-worker.js" : "assets/[name]-[hash].js"),
        codeSplitting: {
          groups: [
            {
              name: "sdk",
              test: /node_modules\/(matrix-js-sdk|@matrix-org|matrix-events-sdk|matrix-widget-api|sdp-transform|unhomoglyph|bs58|base-x|another-json|p-retry|loglevel|content-type)\//,
            },
          ],
        },
      },
    },
  },
});
