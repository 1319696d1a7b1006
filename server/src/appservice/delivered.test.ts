/** What a service has is deleted, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";
import { forgetDelivered } from "./delivered.ts";
import type { Service } from "./service.ts";

test("a transaction of before a fail-over or a restore takes no message away that has its positions now", async () => {
  await using server = await startTestServer();
  const { ctx } = server;
  const alice = await registerPerson(server.url, "alice");
  const tell = (text: string) =>
    alice.call("PUT", `/_matrix/client/v3/sendToDevice/org.example.hello/${text}`, {
      messages: { [alice.userId]: { [alice.deviceId]: { text } } },
    });
  const left = async () =>
    (await ctx.db.log.query<{ body: string }>("select body from log.entries where kind = 'to_device'")).map(
      ({ body }) => (JSON.parse(body) as { content: { text: string } }).content.text,
    );
  await tell("old");
  const { epoch } = ctx.log;
  const owner = await connectOwner(server.databaseUrl);
  await owner.query("update log.head set timeline = '00000000'");
  await tell("new");
  assert.equal(ctx.log.epoch, epoch + 1, "another history has begun");
  const message = { to_user_id: alice.userId, to_device_id: alice.deviceId };
  const body = JSON.stringify({ "de.sorunome.msc2409.to_device": [message] });
  const service = { takesEncryption: true } as Service;
  const upTo = ctx.log.hub.head();
  await forgetDelivered(ctx, service, { body, upTo, epoch });
  assert.deepEqual(await left(), ["new"]);
  await forgetDelivered(ctx, service, { body, upTo, epoch: ctx.log.epoch });
  assert.deepEqual(await left(), []);
  // A restore leaves an epoch that goes on from nothing.
  await tell("restored");
  const ofAnother = { body, upTo: ctx.log.hub.head(), epoch: ctx.log.epoch };
  await owner.query("update log.head set epoch = epoch + 3");
  await owner.end();
  await forgetDelivered(ctx, service, ofAnother);
  await forgetDelivered(ctx, service, { ...ofAnother, epoch: ofAnother.epoch + 4 });
  assert.deepEqual(await left(), ["restored"]);
});
