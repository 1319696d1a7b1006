/** A bridge that others wrote, on matrix-appservice-bridge, against processes of the real command. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bridge, makeBridge } from "../../../testkit/src/bridge.ts";
import { startCluster } from "../../../testkit/src/cluster.ts";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";

const V3 = "/_matrix/client/v3";
const GHOST = "@_net_ana:localhost";
const encoded = encodeURIComponent;

/** What the network heard, each message once: a bridge that died may hear the last again. */
const heard = ({ told }: Bridge) => [
  ...new Map(
    told.filter(({ is, sender }) => is === "heard" && sender !== GHOST).map((each) => [each.id, each.text]),
  ).values(),
];

test("ghosts are made, messages flow both ways, and neither a bridge nor a worker that is killed loses any", async () => {
  await using bridge = await makeBridge();
  await using cluster = await startCluster({
    processes: { "gateway,auth,keys,messages,presence,media,web": 1, worker: 1 },
    env: { PARLEY_APPSERVICES: bridge.file, PARLEY_REGISTRATION: "open" },
  });
  const [gateway] = cluster.gateways;
  const [worker] = cluster.of("worker");
  assert.ok(gateway && worker);
  await bridge.start(gateway.url);
  const bob = await registerPerson(gateway.url, "bob");
  let sent = 0;
  const { room_id: room } = await bob.call("POST", `${V3}/createRoom`, { invite: [GHOST], preset: "private_chat" });
  const say = (text: string) =>
    bob.call("PUT", `${V3}/rooms/${encoded(room)}/send/m.room.message/t${++sent}`, { msgtype: "m.text", body: text });
  const hears = (text: string) => bridge.until(`the network hears ${text}`, () => heard(bridge).includes(text));

  await bridge.until("the ghost has joined", (told) => told.some(({ is, user }) => is === "joined" && user === GHOST));
  assert.equal((await bob.call("GET", `${V3}/profile/${encoded(GHOST)}`)).displayname, "_net_ana of the network");
  const expected = ["hello network"];
  await say("hello network");
  await hears("hello network");
  bridge.say(GHOST, room, "hello matrix");
  const said = await bridge.until("the ghost has spoken", (told) => told.find(({ is }) => is === "said"));
  const event = await bob.call("GET", `${V3}/rooms/${encoded(room)}/event/${encoded(said.id as string)}`);
  assert.deepEqual([event.sender, event.content.body], [GHOST, "hello matrix"]);

  const alias = encoded("#_net_channel:localhost");
  const { room_id: channel } = await bob.call("POST", `${V3}/join/${alias}`, {});
  const name = await bob.call("GET", `${V3}/rooms/${encoded(channel)}/state/m.room.name`);
  assert.equal(name.name, "A channel of the network");

  const sayAll = async (what: string, then?: (i: number) => Promise<unknown>) => {
    for (let i = 0; i < 12; i++) {
      await say(`${what} ${i}`);
      expected.push(`${what} ${i}`);
      await then?.(i);
    }
  };
  await bridge.kill();
  await sayAll("while the bridge was away");
  await bridge.start(gateway.url);
  await hears("while the bridge was away 11");
  await sayAll("while the worker died", async (i) => i === 5 && (await worker.kill()));
  await worker.start();
  await hears("while the worker died 11");
  assert.deepEqual(heard(bridge), expected);
  const events = (await bob.call("GET", `${V3}/rooms/${encoded(room)}/messages?dir=b&limit=100`)).chunk as Json[];
  assert.equal(events.filter(({ content }) => content.body === "hello matrix").length, 1);
});
