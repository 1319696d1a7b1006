/** What a web page says of itself: OpenGraph (https://ogp.me/), and where it has none, its title and description. */
import { limits } from "../../limits.ts";

export interface Page {
  /** Members of the preview, by their names: og:title and such. */
  said: Record<string, string>;
  /** Where its picture is, as it stands there. */
  image: string | undefined;
}

/** What is passed on. Other properties name films and sounds, which a client might fetch from where they are. */
const PASSED = ["og:title", "og:description", "og:type", "og:url", "og:site_name", "og:locale", "og:image:alt"];

/** Where a property stands, the first that is there. */
const SOURCES: Record<string, readonly string[]> = {
  "og:title": ["og:title", "twitter:title", "title", "h1"],
  "og:description": ["og:description", "twitter:description", "description"],
  image: ["og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src", "image_src"],
};

/** Reads a page. Its scripts are text like any other, and nothing of it is run or fetched. */
export async function readPage(body: Buffer, charset: string | undefined): Promise<Page> {
  // Imported when first needed: most servers never do.
  const { Parser } = await import("htmlparser2");
  const found = new Map<string, string>();
  const note = (name: string | undefined, value: string | undefined) => {
    const text = value?.replace(/\s+/g, " ").trim().slice(0, limits.previewText_characters).toWellFormed();
    if (name && text && !found.has(name)) found.set(name, text);
  };
  let inside: { name: string; text: string } | undefined;
  const parser = new Parser({
    onopentag(name, { property, name: named, content, rel, href }) {
      if (name === "meta") note((property ?? named)?.toLowerCase(), content);
      if (name === "link" && rel?.toLowerCase() === "image_src") note("image_src", href);
      if (name === "title" || name === "h1") inside ??= { name, text: "" };
    },
    ontext(text) {
      if (inside && inside.text.length < limits.previewText_characters) inside.text += text;
    },
    onclosetag(name) {
      if (inside?.name !== name) return;
      note(name, inside.text);
      inside = undefined;
    },
  });
  parser.end(decode(body, charset));
  const first = (name: string) => (SOURCES[name] ?? [name]).map((each) => found.get(each)).find((each) => each);
  const said = PASSED.flatMap((name) => {
    const value = first(name);
    return value === undefined || (name === "og:url" && !/^https?:\/\//i.test(value)) ? [] : [[name, value] as const];
  });
  return { said: Object.fromEntries(said), image: first("image") };
}

/** As the header says, else a byte order mark, else the page itself, else UTF-8. */
function decode(body: Buffer, charset: string | undefined): string {
  const mark =
    body[0] === 0xff && body[1] === 0xfe ? "utf-16le" : body[0] === 0xfe && body[1] === 0xff ? "utf-16be" : "";
  const head = body.subarray(0, limits.previewCharset_bytes).toString("latin1");
  const own = /<meta[^>]+charset\s*=\s*["']?\s*([\w:-]+)/i.exec(head)?.[1];
  for (const label of [charset, mark, own])
    try {
      if (label) return new TextDecoder(label).decode(body);
    } catch {
      // A charset that nobody knows is as good as none.
    }
  return new TextDecoder().decode(body);
}
