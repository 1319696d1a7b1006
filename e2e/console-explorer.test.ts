/** The explorer and the access graph's screen in a browser, before a real PostgreSQL with Apache AGE. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Age, missingAge, startAge } from "../testkit/src/age.ts";
import { createGraph, explorerConfig, fieldsFor } from "../testkit/src/explorer.ts";
import { type ConsoleWorld, startConsole, tabTo, title } from "./console.ts";
import { skip as noBrowser } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

const skip = noBrowser || missingAge();

/** More around one element than is brought at once. */
const HUB =
  "CREATE (h:Hub {name: 'hub'}) WITH h UNWIND range(1, 130) AS i CREATE (h)-[:HAS]->(:Leaf {name: 'leaf ' + i})";
const PEOPLE = `CREATE (a:Person {name: 'Ana'})-[:KNOWS {since: 2020}]->(b:Person {name: 'Ben'}),
  (b)-[:KNOWS {since: 2024}]->(:Person {name: 'Cleo'}), (a)-[:LIVES_IN]->(:City {name: 'Lund'})`;

describe("the explorer", { skip }, () => {
  let age: Age;
  let world: ConsoleWorld;
  let page: Page;
  let fields: ReturnType<typeof fieldsFor>;

  before(async () => {
    age = (await startAge()) as Age;
    world = await startConsole({ config: { explorer: explorerConfig() } });
    fields = fieldsFor(age.url);
    await createGraph(world.server, fields, "town");
    page = await world.signedIn("root");
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await age?.stop();
  });

  const editor = () => page.getByRole("textbox", { name: "Cypher query" });
  const result = () => page.getByRole("region", { name: "Result" });
  const summary = (text: RegExp) => result().getByRole("status").filter({ hasText: text }).waitFor();

  /** Replaces what is in the editor, and runs it. */
  async function run(cypher: string): Promise<void> {
    // Not filled: the browser would keep the look of what it replaces in a style, which the page's policy refuses.
    await editor().press("Control+a");
    await editor().press("Delete");
    await editor().focus();
    await page.keyboard.insertText(cypher);
    await editor()
      .filter({ hasText: cypher.split("\n")[0] ?? "" })
      .waitFor();
    await editor().press("Control+Enter");
  }

  async function write(cypher: string): Promise<void> {
    await run(cypher);
    await page.getByRole("button", { name: "Run and write" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Change the graph town?" });
    await dialog.getByLabel("Type town to go on").fill("town");
    await dialog.getByRole("button", { name: "Run and write" }).click();
    await dialog.waitFor({ state: "detached" });
    await summary(/written/);
  }

  it("says what lacks in a database without AGE, and what to do", async () => {
    await page.goto("/admin/explorer");
    await page.getByText("No Apache AGE here").waitFor();
    await look(page, "console-explorer-no-age");
  });

  it("saves a connection, tried first, and opens it", async () => {
    await page.getByRole("button", { name: "Add connection" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a connection" });
    await dialog.getByLabel("Name", { exact: true }).fill("town hall");
    await dialog.getByLabel("Host", { exact: true }).fill(fields.host);
    await dialog.getByLabel("Port", { exact: true }).fill(`${fields.port}`);
    await dialog.getByLabel("Database", { exact: true }).fill(fields.database);
    await dialog.getByLabel("User", { exact: true }).fill(fields.user);
    await dialog.getByLabel("Password", { exact: true }).fill(fields.password);
    await dialog.getByText("Password and data go as they are").click();
    await look(page, "console-explorer-add");
    await dialog.getByRole("button", { name: "Try and save" }).click();
    await page.getByText("town hall is saved.").waitFor();
    await page.getByRole("combobox", { name: "Graph" }).waitFor();
    await page.getByText("This graph has no elements yet.").waitFor();
  });

  it("writes after a question, and shows the elements as a picture, table and text", async () => {
    await write(PEOPLE);
    await write(HUB);
    await page.reload();
    await page.getByText("LIVES_IN").waitFor();
    await run("MATCH (a:Person)-[r]->(b) RETURN a, r, b");
    await page.getByRole("img", { name: "A graph of 4 elements and 3 edges." }).waitFor();
    await look(page, "console-explorer-graph");
    await result().getByRole("button", { name: "Table" }).click();
    await result().getByRole("table", { name: "Rows" }).waitFor();
    await look(page, "console-explorer-table");
    await result().getByRole("button", { name: "Text" }).click();
    await look(page, "console-explorer-text");
    await result().getByRole("button", { name: "Graph" }).click();
  });

  it("runs a query with the keyboard alone, from the navigation to the rows", async () => {
    await page.goto("/admin/");
    await title(page, "Overview").waitFor();
    await tabTo(page, page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: "Explorer" }));
    await page.keyboard.press("Enter");
    const connection = page.getByRole("combobox", { name: "Connection" });
    await tabTo(page, connection);
    await page.keyboard.type("town");
    await page.keyboard.press("Enter");
    await page.getByText("LIVES_IN").waitFor();
    await tabTo(page, editor());
    await page.keyboard.type("MATCH (n:Person) RETURN n.name ORDER BY n.name");
    await page.keyboard.press("Control+Enter");
    await summary(/^3 rows in/);
    // Out of the editor: Tab leaves it.
    const rows = result().getByLabel("Rows").last();
    await tabTo(page, rows);
    assert.deepEqual(await rows.getByRole("cell").allTextContents(), ["Ana", "Ben", "Cleo"]);
  });

  it("brings what is around an element, and says how much more there is", async () => {
    await run("MATCH (n:Hub) RETURN n");
    const picture = (nodes: number) =>
      page.getByRole("img", { name: new RegExp(`^A graph of ${nodes} elements`) }).waitFor();
    await picture(1);
    await choose("hub");
    await page.getByRole("button", { name: "Bring what is around it" }).click();
    // The hub, 60 leaves, and the stub for 70 more.
    await picture(62);
    await look(page, "console-explorer-expanded");
    await page.getByRole("button", { name: "Bring what is around it" }).click();
    await picture(122);
    await page.getByRole("button", { name: "Bring what is around it" }).click();
    await picture(131);
  });

  /** Presses the only element of the picture, which stands in its middle. */
  async function choose(label: string): Promise<void> {
    const box = await page.getByRole("img", { name: /^A graph of/ }).boundingBox();
    assert(box);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.getByRole("complementary", { name: "Element" }).getByRole("heading", { name: label }).waitFor();
  }

  it("says where the database found an error", async () => {
    await run("MATCH (n) RETRUN n");
    await page
      .getByRole("alert")
      .or(page.getByText(/syntax error/i))
      .first()
      .waitFor();
    await look(page, "console-explorer-error");
  });

  it("stops a query in the database", async () => {
    await page.getByRole("combobox", { name: "Most seconds" }).selectOption("60");
    await run("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a + b = 1 RETURN a");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/stopped in the database/).waitFor();
    await page.getByRole("combobox", { name: "Most seconds" }).selectOption("5");
  });

  it("makes elements of a CSV file, all of them or none", async () => {
    await page.getByRole("button", { name: "Import CSV" }).click();
    const dialog = page.getByRole("dialog", { name: "Import CSV into town" });
    const choose = (text: string) =>
      dialog.getByLabel("File").setInputFiles({ name: "trees.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await choose("name,height\nOak,12\nElm,tall\n");
    await dialog.getByLabel("Label of the elements").fill("Tree");
    await dialog.getByRole("combobox", { name: "Kind of height" }).selectOption("integer");
    await dialog.getByLabel("Type town to go on").fill("town");
    await dialog.getByRole("button", { name: "Import" }).click();
    await dialog.getByText('Line 3: "tall" in height is no integer').waitFor();
    await look(page, "console-explorer-import");
    await choose("name,height\nOak,12\nElm,9\n");
    await dialog.getByLabel("Label of the elements").fill("Tree");
    await dialog.getByRole("button", { name: "Import" }).click();
    await dialog.getByText(/Done: 2 elements or edges of 2 lines/).waitFor();
    await dialog.getByText("Close", { exact: true }).click();
    await run("MATCH (t:Tree) RETURN t ORDER BY t.name");
    await page.getByRole("img", { name: /^A graph of 2 elements/ }).waitFor();
  });

  it("exports rows and pictures", async () => {
    const exported = async (entry: string): Promise<Buffer> => {
      await page.getByRole("button", { name: "Export" }).click();
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("menuitem", { name: entry }).click(),
      ]);
      return readFile(await file.path());
    };
    assert.match((await exported("Picture as SVG")).toString(), /<svg[\s\S]*Oak/);
    assert.equal((await exported("Picture as PNG")).subarray(1, 4).toString(), "PNG");
    assert.match((await exported("Rows as CSV")).toString(), /^t\r\n.*Elm/);
    assert.equal(JSON.parse((await exported("Rows as JSON")).toString()).length, 2);
  });

  it("has nothing that axe finds, and nothing that its own policy refuses", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
