/** Keys as clients make them, for the tests of this domain. Their signatures are no signatures: the server does not look. */
import type { Person } from "./http.ts";

export const V3 = "/_matrix/client/v3";
export const SIGNED = "signed_curve25519";

type Named = Pick<Person, "userId" | "deviceId">;

/** What a device uploads as `device_keys`; another `generation` is another identity. */
export function deviceKeysOf({ userId, deviceId }: Named, generation = 1) {
  return {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: { [`curve25519:${deviceId}`]: `curve${generation}`, [`ed25519:${deviceId}`]: `ed${generation}` },
    signatures: { [userId]: { [`ed25519:${deviceId}`]: `own${generation}` } },
  };
}

/** `count` one-time keys, the first of which has the id `from`. */
export function oneTimeKeysOf({ userId, deviceId }: Named, count: number, from = 1) {
  const signatures = { [userId]: { [`ed25519:${deviceId}`]: "signature" } };
  const ids = Array.from({ length: count }, (_, i) => `K${from + i}`);
  return Object.fromEntries(ids.map((id) => [`${SIGNED}:${id}`, { key: `key ${id}`, signatures }]));
}

export function fallbackKeyOf(named: Named, id: string) {
  const [[, key]] = Object.entries(oneTimeKeysOf(named, 1)) as [[string, object]];
  return { [`${SIGNED}:${id}`]: { ...key, key: `fallback ${id}`, fallback: true } };
}

/** The three cross-signing keys; `name` makes them different from those of another name. */
export function crossSigningOf({ userId }: Pick<Person, "userId">, name: string) {
  const key = (usage: string, publicKey: string, signer?: string) => ({
    user_id: userId,
    usage: [usage],
    keys: { [`ed25519:${publicKey}`]: publicKey },
    ...(signer ? { signatures: { [userId]: { [`ed25519:${signer}`]: "by master" } } } : {}),
  });
  return {
    master_key: key("master", `${name}Master`),
    self_signing_key: key("self_signing", `${name}Self`, `${name}Master`),
    user_signing_key: key("user_signing", `${name}User`, `${name}Master`),
  };
}

export function uploadDevice(person: Person) {
  return person.call("POST", `${V3}/keys/upload`, { device_keys: deviceKeysOf(person) });
}

/** The key that a claim gets for one device, as [name, key]; undefined where there is none. */
export async function claimOne(claimer: Person, { userId, deviceId }: Named): Promise<[string, object] | undefined> {
  const wanted = { one_time_keys: { [userId]: { [deviceId]: SIGNED } } };
  const { one_time_keys } = await claimer.call("POST", `${V3}/keys/claim`, wanted);
  return (Object.entries(one_time_keys[userId]?.[deviceId] ?? {}) as [string, object][])[0];
}

/** Of these people, as the reader is given them. */
export function query(reader: Person, people: readonly Pick<Person, "userId">[]) {
  const wanted = Object.fromEntries(people.map(({ userId }) => [userId, []]));
  return reader.call("POST", `${V3}/keys/query`, { device_keys: wanted });
}
