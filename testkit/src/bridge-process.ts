// A bridge as others build one: matrix-appservice-bridge in a process of its own, between Parley and a network that is this
// process's standard input and output. Run by bridge.ts with the server's address, the registration file and a port.
//
// In:  {"user": "@_net_ana:localhost", "room": "!…", "text": "…"}   somebody on the network says something
// Out: {"is": "ready" | "heard" | "joined" | "said", …}

import { createInterface } from "node:readline";
import { createRequire, Module } from "node:module";

type Load = (name: string, ...rest: unknown[]) => unknown;

// Its encryption is a native module that an install script would fetch. No room of this bridge is encrypted.
const internals = Module as unknown as { _load: Load };
const load = internals._load;
internals._load = (name, ...rest) =>
  name === "@matrix-org/matrix-sdk-crypto-nodejs" ? {} : load.call(Module, name, ...rest);

const library = createRequire(import.meta.url)("matrix-appservice-bridge") as typeof import("matrix-appservice-bridge");

const [homeserverUrl = "", registration = "", port = ""] = process.argv.slice(2);
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

const bridge = new library.Bridge({
  homeserverUrl,
  registration,
  domain: "localhost",
  disableStores: true,
  disableContext: true,
  controller: {
    onUserQuery: (user) => ({ name: `${user.localpart} of the network` }),
    onAliasQuery: (_alias, localpart) => ({
      creationOpts: { room_alias_name: localpart, preset: "public_chat", name: "A channel of the network" },
    }),
    onEvent: (request) => void hear(request.getData()),
  },
});

async function hear(event: import("matrix-appservice-bridge").WeakEvent): Promise<void> {
  const { type, content, state_key: target = "", room_id: room, event_id: id, sender } = event;
  if (type === "m.room.member" && content["membership"] === "invite") {
    await bridge.getIntent(target).join(room);
    tell({ is: "joined", room, user: target });
  }
  if (type === "m.room.message") tell({ is: "heard", room, id, sender, text: content["body"] });
}

await bridge.run(Number(port), undefined, "127.0.0.1");
tell({ is: "ready" });
for await (const line of createInterface(process.stdin)) {
  const { user, room, text } = JSON.parse(line) as { user: string; room: string; text: string };
  const { event_id: id } = await bridge.getIntent(user).sendText(room, text);
  tell({ is: "said", id });
}
