/** A table of ten thousand people: read page by page while one scrolls, and nothing in it ever jumps. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type ConsoleWorld, startConsole } from "./console.ts";
import { skip } from "./fixture.ts";

const PEOPLE = 10_000;
const ROW_PX = 36;

/** What stood in the grid in one frame: where each row was, and how far the grid was scrolled. */
interface Frame {
  scrollTop: number;
  rows: { index: number; top: number; text: string }[];
}

declare global {
  interface Window {
    frames_: Frame[];
    seen_: Record<number, string>;
  }
}

describe("a table of ten thousand people", { skip }, () => {
  let world: ConsoleWorld;
  let page: Page;

  before(async () => {
    world = await startConsole();
    await world.server.ctx.db.auth.change(
      `insert into auth.accounts (user_id) select '@person-' || lpad(n::text, 5, '0') || ':localhost' from generate_series(1, $1) n`,
      [PEOPLE],
    );
    page = await world.signedIn("root");
    await page.goto("/admin/users");
    await page.getByText("@person-00001:localhost").waitFor();
  });

  after(() => world?.[Symbol.asyncDispose]());

  it("is scrolled to its last row without any row moving but by the scrolling", async () => {
    await page.evaluate(watchFrames);
    const last = page.getByText("@root:localhost").locator("visible=true");
    await page.getByRole("grid", { name: "Users" }).hover();
    for (let wheels = 0; wheels < 400 && !(await isAtEnd(page)); wheels += 1) await page.mouse.wheel(0, 2_000);
    await last.first().waitFor();
    const frames = await page.evaluate(() => window.frames_);
    assert.ok(frames.length > 50, `only ${frames.length} frames were seen`);
    for (const { scrollTop, rows } of frames)
      for (const { index, top, text } of rows)
        assert.ok(
          Math.abs(top - (ROW_PX + index * ROW_PX - scrollTop)) <= 1,
          `${text} was drawn at ${top} while the grid was scrolled to ${scrollTop}`,
        );
    for (let i = 1; i < frames.length; i += 1)
      assert.ok((frames[i]?.scrollTop ?? 0) >= (frames[i - 1]?.scrollTop ?? 0), "the grid went back by itself");
  });

  it("has every person once, in their order, and only those in sight are in the page", async () => {
    const indexOfLast = await page.getByRole("row").last().getAttribute("aria-rowindex");
    assert.equal(Number(indexOfLast), PEOPLE + 2 + 1, "adam, root and the head beside them");
    assert.ok((await page.getByRole("row").count()) < 80);
    const seen = Object.entries(await page.evaluate(() => window.seen_)).map(
      ([index, text]) => [Number(index), text] as const,
    );
    const people = seen.filter(([index]) => index >= 1 && index <= PEOPLE);
    assert.ok(people.length > 500, `only ${people.length} rows were seen`);
    for (const [index, text] of people) assert.equal(text, `@person-${String(index).padStart(5, "0")}:localhost`);
  });

  it("goes to its first and its last row by the keys Home and End", async () => {
    const grid = page.getByRole("grid", { name: "Users" });
    await grid.focus();
    await page.keyboard.press("Home");
    await page.getByText("@adam:localhost").waitFor();
    await page.keyboard.press("End");
    await page.getByText("@root:localhost").locator("visible=true").first().waitFor();
  });
});

function isAtEnd(page: Page): Promise<boolean> {
  return page.getByRole("grid", { name: "Users" }).evaluate((grid) => {
    const isComplete = Number(grid.getAttribute("aria-rowcount")) >= 10_002 && grid.scrollHeight >= 10_002 * 36;
    return isComplete && grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 2;
  });
}

/** Runs in the page: notes in every frame what stands where. */
function watchFrames(): void {
  window.frames_ = [];
  window.seen_ = {};
  const grid = document.querySelector("[role=grid]") as HTMLElement;
  const look = () => {
    const { top } = grid.getBoundingClientRect();
    const rows = [...grid.querySelectorAll<HTMLElement>("[data-index]")].map((row) => ({
      index: Number(row.dataset["index"]),
      top: row.getBoundingClientRect().top - top,
      text: row.querySelector("a")?.textContent ?? "",
    }));
    for (const { index, text } of rows) window.seen_[index] = text;
    window.frames_.push({ scrollTop: grid.scrollTop, rows });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
