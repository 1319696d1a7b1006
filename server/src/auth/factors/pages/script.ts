/** The one script of the pages. */
import { paths } from "../../oauth/addresses.ts";
import { fileAt } from "../../oauth/pages/file.ts";

const file = new URL("passkeys.js", import.meta.url);
export const passkeyScript = fileAt(paths.passkeyScript, { file, type: "text/javascript" });
