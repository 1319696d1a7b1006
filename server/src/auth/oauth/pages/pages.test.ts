/** The pages of the authorisation server look like the messenger, and none of them has a script. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { html } from "./page.ts";

/** The values of a block of custom properties, by their names. */
function tokensIn(css: string, selector: RegExp): Map<string, string> {
  const block = selector.exec(css)?.[1] ?? "";
  return new Map([...block.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = "", value = ""]) => [name, value]));
}

test("the tokens of design are the messenger's, in both themes", async () => {
  const messenger = await readFile(new URL("../../../../../web/src/ui/tokens.css", import.meta.url), "utf8");
  const pages = await readFile(new URL("pages.css", import.meta.url), "utf8");
  for (const [theirs, ours] of [
    [/^:root \{(.*?)^\}/ms, /^:root \{(.*?)^\}/ms],
    [/^:root\[data-theme="dark"\] \{(.*?)^\}/ms, /^@media \(prefers-color-scheme: dark\) \{(.*?)^\}/ms],
  ] as const) {
    const [right, used] = [tokensIn(messenger, theirs), tokensIn(pages, ours)];
    assert.ok(used.size > 10);
    for (const [name, value] of used) assert.equal(value, right.get(name), name);
  }
});

test("what stands in a page is escaped, whatever it is, but for what `html` made", () => {
  const made = html`<p class="${'"><script>'}">${"<b>&'"}${html`<i>${"<u>"}</i>`}${undefined}${7}</p>`;
  assert.equal(made.text, `<p class="&#34;&#62;&#60;script&#62;">&#60;b&#62;&#38;&#39;<i>&#60;u&#62;</i>7</p>`);
});
