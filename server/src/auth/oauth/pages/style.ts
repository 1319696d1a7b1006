/** The one style sheet of the pages. */
import { paths } from "../addresses.ts";
import { fileAt } from "./file.ts";

export const style = fileAt(paths.style, { file: new URL("pages.css", import.meta.url), type: "text/css" });
