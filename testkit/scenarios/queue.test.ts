import assert from "node:assert/strict";
import { test } from "node:test";
import { startCluster } from "../src/cluster.ts";
import { registerPerson, tryRequest } from "../src/http.ts";
import { missingService, startService } from "../src/services.ts";

const CLIENT = "/_matrix/client/v3";
const ROOMS = 4;
const MESSAGES = 40;

for (const adapter of ["postgresql", "rabbitmq"] as const)
  test(
    `workers are killed under load, and each message that was sent through ${adapter} is there once, in its sender's order`,
    { skip: adapter === "rabbitmq" && missingService("rabbitmq"), timeout: 240_000 },
    async () => {
      await using broker = adapter === "rabbitmq" ? await startService("rabbitmq") : undefined;
      await using cluster = await startCluster({
        processes: { "auth,messages": 1, messages: 2, gateway: 1 },
        env: { PARLEY_QUEUE: adapter, ...(broker ? { RABBITMQ_URL: broker.url } : {}) },
      });
      const url = cluster.gateways[0]?.url as string;
      const alice = await registerPerson(url, "alice");
      const rooms: string[] = [];
      for (let n = 0; n < ROOMS; n++) rooms.push((await alice.call("POST", `${CLIENT}/createRoom`, {})).room_id);

      /** A client that tries again until it is answered, and only then goes on. */
      const sendInTurn = async (room: string) => {
        for (let n = 0; n < MESSAGES; n++) {
          const path = `${CLIENT}/rooms/${encodeURIComponent(room)}/send/m.room.message/${n}`;
          const ask = () => tryRequest(url, "PUT", path, { token: alice.token, body: { body: `${n}` } });
          for (let answer = await ask(); answer?.status !== 200; answer = await ask())
            assert.ok(answer === undefined || answer.status >= 500, JSON.stringify(answer?.body));
        }
      };
      const workers = cluster.of("messages").filter(({ roles }) => !roles.includes("auth"));
      const killInTurn = async (stopped: AbortSignal) => {
        for (let n = 0; !stopped.aborted; n++) {
          const worker = workers[n % workers.length];
          await worker?.kill();
          await worker?.start();
        }
      };
      const done = new AbortController();
      const killing = killInTurn(done.signal);
      await Promise.all(rooms.map(sendInTurn));
      done.abort();
      await killing;

      const wanted = Array.from({ length: MESSAGES }, (_, n) => `${n}`);
      for (const room of rooms) {
        const path = `${CLIENT}/rooms/${encodeURIComponent(room)}/messages?dir=f&limit=500`;
        const { chunk } = await alice.call("GET", path);
        const bodies = (chunk as { type: string; content: { body: string } }[])
          .filter(({ type }) => type === "m.room.message")
          .map(({ content }) => content.body);
        assert.deepEqual(bodies, wanted);
      }
    },
  );
