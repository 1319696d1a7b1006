/** Files that the pages load. */
import { readFile } from "node:fs/promises";
import { Answer, type Route, route } from "../../../http.ts";

/** The route of a file that stands beside the code. It is read when somebody first asks for it, and kept. */
export function fileAt(path: string, { file, type }: { file: URL; type: "text/css" | "text/javascript" }): Route {
  let text: Promise<string> | undefined;
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "public, max-age=300",
    "x-content-type-options": "nosniff",
  };
  return route({
    method: "GET",
    path,
    access: "anyone",
    rate: "other",
    async handle() {
      text ??= readFile(file, "utf8");
      return new Answer({ headers, payload: await text });
    },
  });
}
