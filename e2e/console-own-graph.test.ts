/** A server whose own database has Apache AGE: its access graph is answered there, and looked at in the explorer. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Age, missingAge, prepareForGraph, startAge } from "../testkit/src/age.ts";
import { makeOperator } from "../testkit/src/operators.ts";
import { createRoom } from "../testkit/src/room.ts";
import { soonFound } from "../testkit/src/wait.ts";
import { type ConsoleWorld, people, startConsole } from "./console.ts";
import { skip as noBrowser } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

const skip = noBrowser || missingAge();

describe("the access graph in Apache AGE", { skip }, () => {
  let age: Age;
  let world: ConsoleWorld;
  let page: Page;

  before(async () => {
    age = (await startAge({ preload: false })) as Age;
    await prepareForGraph(age);
    world = await startConsole({ databaseUrl: age.url });
    const [ana] = await people(world.server, ["ana", "ben"]);
    assert(ana);
    await createRoom(ana, { name: "Release train" });
    const omar = await makeOperator(world.server, "omar", "operator");
    await soonFound("the worker has the room in the graph", async () => {
      const { status, body } = await omar.ask("GET", `/_parley/admin/v1/graph/reach?user_id=${ana.userId}`);
      return status === 200 && body.back_end === "age" && JSON.stringify(body.items).includes("Release train");
    });
    page = await world.signedIn("root");
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await age?.stop();
  });

  it("is where its questions are answered", async () => {
    await page.goto("/admin/graph?question=reach&user_id=@ana:localhost&view=table");
    await page.getByText(/^as of .*, in Apache AGE$/).waitFor();
    await page.getByText("Release train").first().waitFor();
  });

  it("is queried by owners in the explorer, who can not write there", async () => {
    await page.goto("/admin/explorer");
    await page.getByText("Parley's own database, only read").waitFor();
    await page.getByText("MEMBER_OF").waitFor();
    await page.getByRole("textbox", { name: "Cypher query" }).focus();
    await page.keyboard.insertText("MATCH (p:Person)-[r:MEMBER_OF]->(o:Room) RETURN p, r, o");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("img", { name: "A graph of 2 elements and 1 edges." }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Import CSV" }).count(), 0);
  });

  it("shows operators what is in it, and says who may query it", async () => {
    const operator = await world.signedIn("omar");
    await operator.goto("/admin/explorer");
    await operator.getByText("MEMBER_OF").waitFor();
    await operator.getByText("This needs the role owner.").waitFor();
    await operator.getByText("@root:localhost", { exact: false }).waitFor();
    assert.equal(await operator.getByRole("button", { name: /^Show some of/ }).count(), 0);
    await look(operator, "console-explorer-own");
    await operator.context().close();
  });

  it("has nothing that axe finds, and nothing that its own policy refuses", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
