/** The one script of the pages. */
import { readFile } from "node:fs/promises";
import { Answer, route } from "../../../http.ts";
import { paths } from "../../oauth/addresses.ts";

let script: Promise<string> | undefined;

export const passkeyScript = route({
  method: "GET",
  path: paths.passkeyScript,
  access: "anyone",
  rate: "other",
  async handle() {
    script ??= readFile(new URL("passkeys.js", import.meta.url), "utf8");
    const headers = {
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
    };
    return new Answer({ headers, payload: await script });
  },
});
