/** The console's billing, in every state: off, new, at work, in trouble; in both themes, on a phone, and by axe. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { billedBy, customer, invoice, subscription, workerOn } from "../testkit/src/billing.ts";
import { type FakeStripe, startStripe } from "../testkit/src/stripe.ts";
import { answerWith, type ConsoleWorld, startConsole } from "./console.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

describe("billing in the console", { skip }, () => {
  let stripe: FakeStripe;
  let world: ConsoleWorld;
  let page: Page;

  const work = async () => {
    const config = { ...billedBy(stripe), handles: true };
    const worker = workerOn(world.server.ctx.db, stripe, { config });
    assert.equal(await worker.turn(), true);
    await worker.leave();
  };

  before(async () => {
    stripe = await startStripe();
    world = await startConsole({ config: { billing: billedBy(stripe) } });
    page = await world.signedIn("root");
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await stripe?.[Symbol.asyncDispose]();
  });

  it("says what is still to come where nothing has happened yet", async () => {
    for (const [tab, shows] of [
      ["", "Stripe has told of no subscription yet"],
      ["/invoices", "Stripe has told of no invoice yet"],
      ["/events", "No event has arrived yet"],
      ["/dead-letters", "Every event has been handled"],
    ] as const) {
      await page.goto(`/admin/billing${tab}`);
      await page.getByText(shows).waitFor();
      await look(page, `billing-new${tab.replace("/", "-")}`);
    }
  });

  it("shows the plan, what was counted, the next invoice and how the work goes", async () => {
    stripe.now_s -= 3_600;
    const events = [
      stripe.put(customer({ delinquent: true }), "customer.updated"),
      stripe.put(subscription({ status: "past_due" }), "customer.subscription.updated"),
      ...["paid", "paid", "void"].map((status, i) =>
        stripe.put(
          invoice({
            id: `in_${i}`,
            number: `P-000${i}`,
            created: stripe.now_s - i * 2_592_000,
            status,
            amount_paid: status === "paid" ? 1_500 : 0,
            hosted_invoice_url: `https://invoice.stripe.com/i/${i}`,
          }),
          "invoice.updated",
        ),
      ),
      stripe.put(
        invoice({ id: "in_9", number: "P-0009", created: stripe.now_s, attempt_count: 2 }),
        "invoice.payment_failed",
      ),
      stripe.put(invoice({ id: "in_8", total: "much" }), "invoice.created"),
    ];
    stripe.now_s += 3_600;
    await stripe.send(world.server.url, ...events);
    await work();
    await page.goto("/admin/billing");
    await page.getByText("knows it since").first().waitFor();
    await page.getByText("A payment is due").waitFor();
    await page.getByText("1 event was not handled").waitFor();
    await page.getByText("€10.00").first().waitFor();
    await look(page, "billing");
    await page.goto("/admin/billing/invoices");
    await page.getByRole("link", { name: "P-0001" }).waitFor();
    await page.getByText("€15.00").first().waitFor();
    await look(page, "billing-invoices");
  });

  it("replays an event, which changes nothing twice", async () => {
    await page.goto("/admin/billing/events?state=handled");
    await page.getByText("invoice.payment_failed").click();
    await page.getByText("payment-failure").waitFor();
    await look(page, "billing-event");
    await page.getByRole("button", { name: "Replay" }).last().click();
    await page.getByRole("button", { name: "Replay" }).last().click();
    await page.getByText("2 handler runs waiting").waitFor();
    await work();
    const runs = await world.server.ctx.db.billing.query<{ state: string; changes: number }>(
      "select d.state, d.changes from billing.deliveries d join billing.events e using (event_id) where e.type = 'invoice.payment_failed'",
    );
    assert.deepEqual(runs, [
      { state: "handled", changes: 1 },
      { state: "handled", changes: 1 },
    ]);
  });

  it("leaves what could not be handled, with a reason", async () => {
    await page.goto("/admin/billing/dead-letters");
    await page.getByText("not what its type says").waitFor();
    await look(page, "billing-dead-letters");
    await page.getByRole("checkbox").last().click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByLabel("Reason").fill("a test of Stripe's");
    await look(page, "billing-leave");
    await page.getByRole("button", { name: "Leave" }).last().click();
    await page.getByText("Every event has been handled").waitFor();
  });

  it("makes the link to Stripe's portal for the owner alone", async () => {
    await page.goto("/admin/billing");
    await page.getByRole("button", { name: "Open Stripe" }).click();
    await page.getByRole("button", { name: "Make the link" }).click();
    const link = page.getByRole("link", { name: "Stripe's portal" });
    assert.match((await link.getAttribute("href")) ?? "", /^https:\/\/billing\.stripe\.com\//);
    const auditor = await world.signedIn("adam");
    await auditor.goto("/admin/billing");
    assert.equal(await auditor.getByRole("button", { name: "Open Stripe" }).isDisabled(), true);
    await auditor.context().close();
  });

  it("says so where work stands still, where billing is off, and where the answer does not come", async () => {
    const status = (await (await page.request.get("/api/admin/v1/billing")).json()) as { work: object };
    const states = {
      stalled: {
        status: 200,
        body: { ...status, work: { ...status.work, waiting: 12, oldest_waiting_s: 7_200, lease_ts: null } },
      },
      off: { status: 200, body: { ...status, configured: false, plan: null } },
      failed: { status: 500, body: { errcode: "M_UNKNOWN", error: "Something went wrong here." } },
      loading: "never",
    } as const;
    const shows = {
      stalled: "No worker has the lease",
      off: "Billing is off",
      failed: "Something went wrong",
      loading: "",
    };
    for (const [name, answer] of Object.entries(states)) {
      const other = await world.signedIn("root");
      await answerWith(other, "/billing", answer);
      await other.goto("/admin/billing");
      if (name === "loading") await other.getByLabel("Loading").waitFor();
      else
        await other
          .getByText(shows[name as keyof typeof shows])
          .first()
          .waitFor();
      await look(other, `billing-${name}`);
      await other.context().close();
    }
  });

  it("has nothing that axe finds or the page complains of", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
