/** Whose pages may read answers: CORS_ORIGINS. */
import { type Env, refuse, text } from "./read.ts";

const NAME = "CORS_ORIGINS";

/** As browsers write origins, so that they can be compared; undefined where everybody's pages may. */
export function corsOrigins(env: Env): readonly string[] | undefined {
  const value = text(env, NAME);
  const list = value.split(",").map((each) => each.trim());
  if (list.length === 1 && list[0] === "*") return undefined;
  const fix = "set it to *, or to origins such as https://chat.example.org, with commas between.";
  return list.map((each) => {
    const isOrigin = /^https?:\/\/[^/?#@*]+\/?$/.test(each) && URL.canParse(each);
    return isOrigin ? new URL(each).origin : refuse(NAME, value, fix);
  });
}
