/** Previews of web pages. See media/previews/config.ts. */
import type { Setting } from "./setting.ts";

export const previewSettings: readonly Setting[] = [
  {
    name: "PARLEY_PREVIEWS",
    default: "off",
    doc: "on or off: whether the server fetches web pages that people link to, for a preview of them.",
  },
  {
    name: "PARLEY_PREVIEW_HOSTS",
    default: "",
    doc: "Hosts inside your network whose pages may be previewed, with commas, such as wiki.example.org or 10.1.0.0/16. Those on the public internet need no naming.",
  },
];
