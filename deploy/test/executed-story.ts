/** What people do on a fresh installation: the first administrator, an invitation, a room, a message that arrives. */
import { type Person, registerPerson, request } from "../../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../../testkit/src/room.ts";
import type { Release } from "./executed-release.ts";
import { until } from "./until.ts";

const CLIENT = "/_matrix/client/v3";

export interface Story {
  alice: Person;
  bob: Person;
  room: TestRoom;
}

/** Through the address that people use. `deployments` are those whose logs may have the administrator's link. */
export async function begin(url: string, release: Release, deployments: readonly string[]): Promise<Story> {
  const alice = await firstAdministrator(url, release, deployments);
  const { token } = await alice.call("POST", "/_parley/v1/registration_tokens", {});
  const bob = await registerPerson(url, "bob", { auth: registration(token as string) } as object);
  const room = await createRoom(alice);
  await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(room.id)}`, {});
  const { next_batch: since } = await bob.call("GET", `${CLIENT}/sync`);
  const eventId = await room.say(alice, "hello");
  await hears(bob, { since: since as string, room, eventId });
  return { alice, bob, room };
}

const registration = (token: string) => ({ type: "m.login.registration_token", token });

/** By the link of whichever process printed it last: each start withdraws the one before, also while it is being used. */
async function firstAdministrator(url: string, release: Release, deployments: readonly string[]): Promise<Person> {
  const read = () => deployments.flatMap((name) => release.pods(name).map((pod) => pod.output()));
  let person: Person | undefined;
  const tryAll = async () => {
    for (const [, token = ""] of read()
      .join("\n")
      .matchAll(/^\s+http\S+[?&#]token=(\S+)$/gm)) {
      const path = `/_matrix/client/v1/register/m.login.registration_token/validity?token=${token}`;
      if ((await request(url, "GET", path)).body.valid !== true) continue;
      person = await registerPerson(url, "alice", { auth: registration(token) } as object).catch(() => undefined);
      if (person) return true;
    }
    return false;
  };
  await until("the first administrator by one of the links", tryAll, { deadline_ms: 20_000, period_ms: 500 });
  return person as Person;
}

/** Waits in syncs, as a client does, until the message is there. */
async function hears(person: Person, { since, room, eventId }: { since: string; room: TestRoom; eventId: string }) {
  for (let at = since, left = 5; left > 0; left--) {
    const { rooms, next_batch } = await person.call("GET", `${CLIENT}/sync?timeout=10000&since=${at}`);
    const events = (rooms?.join?.[room.id]?.timeline.events ?? []) as { event_id: string }[];
    if (events.some((event) => event.event_id === eventId)) return;
    at = next_batch as string;
  }
  throw new Error("the message did not arrive");
}
