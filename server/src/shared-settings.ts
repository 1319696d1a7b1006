/**
 * Settings that all processes of one Parley should have the same, and how processes find out that they have not without telling
 * each other: each writes an HMAC of every value, with a salt of the database, into its row of log.processes. Whoever can
 * read that table can try values, so it hides secrets that are long and random, and not a word of the dictionary.
 */
import { createHmac } from "node:crypto";
import type { Config } from "./config.ts";
import { readHosts } from "./db/hosts.ts";
import { type Address, valueOf } from "./secrets/address.ts";

/** By the name of the setting; an empty text for none. Secrets are among them. */
export function sharedSettings(config: Config): Record<string, string> {
  return {
    PARLEY_SERVER_NAME: config.serverName,
    PARLEY_PUBLIC_URL: config.publicUrl ?? "",
    PARLEY_REGISTRATION: config.registration,
    PARLEY_OPERATORS_SECOND_FACTOR: `${config.operatorsNeedSecondFactor}`,
    PARLEY_GUESTS: `${config.guests}`,
    PARLEY_ROOM_VERSION: config.roomVersion,
    PARLEY_RATE_LIMITS: `${config.rateLimits}`,
    PARLEY_QUERY_TOKENS: `${config.queryTokens}`,
    PARLEY_REGISTRATION_SHARED_SECRET: secretOf(config.registrationSecret),
    PARLEY_ACCESS_TOKEN_LIFETIME_S: `${config.accessTokenLifetime_ms}`,
    PARLEY_MEDIA_MAX_BYTES: `${config.mediaMax_bytes}`,
    PARLEY_BUS: config.bus,
    PARLEY_EPHEMERAL: config.ephemeral,
    SESSION_STORAGE_TYPE: config.sessionStorage,
    PARLEY_QUEUE: config.queue,
    // What it is made of, but secrets that stand elsewhere.
    STORAGE_PROVIDER: JSON.stringify(config.storage),
    REDIS_URL: secretOf(config.redisUrl),
    NATS_URL: secretOf(config.natsUrl),
    RABBITMQ_URL: secretOf(config.rabbitmqUrl),
    PARLEY_EXPLORER_HOSTS: config.explorer.hosts.text,
    PARLEY_PUSH_HOSTS: config.push.hosts.text,
    PARLEY_VAPID_PRIVATE_KEY: secretOf(config.push.vapidKey),
    CREDENTIAL_STORAGE_TYPE: JSON.stringify(config.explorer.credentials),
    MASTER_ENCRYPTION_KEY: secretOf(config.explorer.masterKey),
    ...databasePasswords(config.databaseUrl),
  };
}

/** Of each user of DATABASE_URL; two while a password is being changed. The servers may differ: a name here, an address there. */
function databasePasswords(address: Address | undefined): Record<string, string> {
  try {
    const urls = (address === undefined ? [] : readHosts(address).urls).flatMap((each) => URL.parse(each) ?? []);
    const of = (name: string) => urls.filter(({ username }) => username === name).map(({ password }) => password);
    return Object.fromEntries(
      urls.map(({ username }) => [`DATABASE_URL of ${username}`, [...new Set(of(username))].toSorted().join("\n")]),
    );
  } catch {
    return {};
  }
}

/** What stands in its file or with its provider; where that can not be read, whatever uses it will tell. */
function secretOf(address: Address | undefined): string {
  try {
    return address === undefined ? "" : valueOf(address);
  } catch {
    return "";
  }
}

/** 64 bits of each value's HMAC, in hexadecimal. */
export function fingerprints(values: Readonly<Record<string, string>>, salt: Buffer): Record<string, string> {
  const of = (name: string, value: string) =>
    createHmac("sha256", salt).update(`${name}\0${value}`).digest("hex").slice(0, 16);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, of(name, value)]));
}
