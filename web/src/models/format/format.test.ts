import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHtml, type HtmlNode } from "./fromHtml.ts";
import { fromMarkdown } from "./fromMarkdown.ts";
import { fromPlain, linkify, matrixTarget, safeHref } from "./links.ts";
import { toPlain } from "./rich.ts";
import { toHtml } from "./toHtml.ts";

/** An element for the parser's tests, shaped like the browser's. */
function el(name: string, attributes: Record<string, string>, ...inner: (HtmlNode | string)[]): HtmlNode {
  const childNodes = inner.map((child) => (typeof child === "string" ? text(child) : child));
  return {
    nodeType: 1,
    nodeName: name.toUpperCase(),
    nodeValue: null,
    childNodes,
    textContent: childNodes.map((child) => child.textContent).join(""),
    getAttribute: (key) => attributes[key] ?? null,
  };
}

function text(value: string): HtmlNode {
  return { nodeType: 3, nodeName: "#text", nodeValue: value, textContent: value, childNodes: [] };
}

test("HTML that a person types stays text", () => {
  assert.equal(toHtml(fromMarkdown('<img src=x onerror="f()">')), "&lt;img src=x onerror=&quot;f()&quot;&gt;");
  assert.equal(toHtml(fromMarkdown("a <b>bold</b> word")), "a &lt;b&gt;bold&lt;/b&gt; word");
});

test("an address that could run code is never a link, typed or received", () => {
  assert.equal(safeHref("javascript:alert(1)"), null);
  assert.equal(safeHref(" JaVaScRiPt:alert(1)"), null);
  assert.equal(safeHref("data:text/html,x"), null);
  assert.doesNotMatch(toHtml(fromMarkdown("[x](javascript:alert(1))")), /<a /);
  assert.deepEqual(fromHtml(el("body", {}, el("a", { href: "javascript:alert(1)" }, "x"))), [{ t: "text", v: "x" }]);
});

test("scripts, styles and reply fallbacks of a received message are dropped, unknown elements give their text", () => {
  const body = el("body", {}, el("mx-reply", {}, "quoted"), el("script", {}, "bad()"), el("marquee", {}, "kept"));
  assert.deepEqual(fromHtml(body), [{ t: "text", v: "kept" }]);
});

test("Markdown becomes the HTML that other clients know", () => {
  assert.equal(
    toHtml(fromMarkdown("**b** _i_ ~~s~~ `c<d`")),
    "<strong>b</strong> <em>i</em> <del>s</del> <code>c&lt;d</code>",
  );
  assert.equal(toHtml(fromMarkdown("one\ntwo")), "one<br>two");
  assert.equal(
    toHtml(fromMarkdown("```ts\nlet a = 1 < 2;\n```")),
    '<pre><code class="language-ts">let a = 1 &lt; 2;\n</code></pre>',
  );
  assert.equal(toHtml(fromMarkdown("1. a\n2. b")), "<ol><li>a</li><li>b</li></ol>");
});

test("a chosen mention becomes a link to the person, the longest name first, and never inside code", () => {
  const mentions = [
    { id: "@ana:x.org", name: "Ana" },
    { id: "@ana.d:x.org", name: "Ana Duarte" },
  ];
  const html = toHtml(fromMarkdown("@Ana Duarte and @Ana, not @Anabel or `@Ana`", mentions));
  assert.equal(html.match(/<a href="https:\/\/matrix\.to\/#\/%40ana\.d%3Ax\.org">@Ana Duarte<\/a>/g)?.length, 1);
  assert.equal(html.match(/<a href="https:\/\/matrix\.to\/#\/%40ana%3Ax\.org">@Ana<\/a>/g)?.length, 1);
  assert.match(html, /<code>@Ana<\/code>/);
});

test("a mention survives the way out and back in", () => {
  assert.equal(matrixTarget("https://matrix.to/#/%40ana%3Ax.org"), "@ana:x.org");
  const received = el("body", {}, "hi ", el("a", { href: "https://matrix.to/#/%40ana%3Ax.org" }, "Ana"));
  assert.deepEqual(fromHtml(received), [
    { t: "text", v: "hi " },
    { t: "mention", id: "@ana:x.org", name: "Ana" },
  ]);
});

test("an address in plain text is a link without the punctuation after it", () => {
  const nodes = linkify("see https://a.example/b_(c), please.");
  assert.deepEqual(nodes[1], {
    t: "link",
    href: "https://a.example/b_(c)",
    c: [{ t: "text", v: "https://a.example/b_(c)" }],
  });
  assert.deepEqual(nodes[2], { t: "text", v: ", please." });
});

test("plain text keeps its lines", () => {
  assert.deepEqual(fromPlain("a\nb"), [{ t: "text", v: "a" }, { t: "br" }, { t: "text", v: "b" }]);
});

test("the one-line form of a message hides spoilers and has single spaces", () => {
  const nodes = fromHtml(
    el("body", {}, el("p", {}, "one"), el("p", {}, "two ", el("span", { "data-mx-spoiler": "" }, "secret"))),
  );
  assert.equal(toPlain(nodes), "one two (hidden)");
});

test("nesting beyond the limit ends in text instead of a deep tree", () => {
  let node = el("b", {}, "x");
  for (let depth = 0; depth < 500; depth += 1) node = el("b", {}, node);
  const json = JSON.stringify(fromHtml(el("body", {}, node)));
  assert.ok((json.match(/strong/g)?.length ?? 0) <= 60);
  assert.match(json, /"x"/);
});
