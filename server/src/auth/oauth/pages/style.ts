/** The one style sheet of the pages. */
import { readFile } from "node:fs/promises";
import { Answer, route } from "../../../http.ts";
import { paths } from "../addresses.ts";

let sheet: Promise<string> | undefined;

export const style = route({
  method: "GET",
  path: paths.style,
  access: "anyone",
  rate: "other",
  async handle() {
    sheet ??= readFile(new URL("pages.css", import.meta.url), "utf8");
    const headers = {
      "content-type": "text/css; charset=utf-8",
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
    };
    return new Answer({ headers, payload: await sheet });
  },
});
