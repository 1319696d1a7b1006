/**
 * Whether a recovery key opens the secret storage of this account, and what to tell a person when it does not.
 *
 * The account's key description (section "Secret storage") has a check value: the MAC of 32 zero bytes encrypted with
 * the key. It answers here, without a request, so a wrong key is named before anything is tried with it.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { deriveRecoveryKeyFromPassphrase } from "matrix-js-sdk/lib/crypto-api/key-passphrase.js";
import type { SecretStorageKeyDescriptionAesV1 } from "matrix-js-sdk/lib/secret-storage.js";
import { type KeyBytes, type KeyReading, mistypedGroup, readRecoveryKey } from "./recoveryKey.ts";

export type KeyVerdict =
  | { kind: "right"; keyId: string; key: KeyBytes }
  /** The input is not a key; `text` says what is wrong with it. */
  | { kind: "wrong"; text: string }
  /** The account has no secret storage: there is nothing that a key could open. */
  | { kind: "noKey" };

interface AccountKey {
  id: string;
  info: SecretStorageKeyDescriptionAesV1;
}

const KEY_EVENT = "m.secret_storage.key.";

/** Judges what a person typed: a recovery key, or the passphrase that an account made elsewhere may have. */
export async function judgeRecoveryKey(client: MatrixClient, input: string): Promise<KeyVerdict> {
  const account = await accountKey(client);
  if (!account) return { kind: "noKey" };
  const reading = readRecoveryKey(input);
  if (reading.kind === "complete") return judgeKey(client, account, reading.key);
  const derived = await fromPassphrase(account, input.trim());
  if (derived && (await fits(client, account, derived))) return { kind: "right", keyId: account.id, key: derived };
  const group = reading.kind === "mistyped" ? await mistypedGroup(input, (key) => fits(client, account, key)) : null;
  return { kind: "wrong", text: whatIsWrong(reading, group) ?? "Type or paste the whole key." };
}

/**
 * What is wrong with an input, as a sentence; null while nothing is wrong yet.
 *
 * @param group the group that was found to be mistyped, counted from 1.
 */
export function whatIsWrong(reading: KeyReading, group: number | null = null): string | null {
  switch (reading.kind) {
    case "empty":
    case "incomplete":
    case "complete":
      return null;
    case "badCharacter":
      return `Group ${reading.group} has a character that recovery keys never have: ${reading.character}`;
    case "badBeginning":
      return "This is not a recovery key: every recovery key begins with Es.";
    case "tooLong":
      return `This is ${reading.extra} ${reading.extra === 1 ? "character" : "characters"} longer than a recovery key.`;
    case "oneCase":
      return "Capital and small letters differ in a recovery key, and here all are alike. Is Caps Lock on?";
    case "mistyped":
      return group === null
        ? "More than one character of this key is mistyped. Compare it group by group."
        : `Group ${group} is mistyped.`;
  }
}

async function judgeKey(client: MatrixClient, account: AccountKey, key: KeyBytes): Promise<KeyVerdict> {
  if (await fits(client, account, key)) return { kind: "right", keyId: account.id, key };
  const replaced = await isFormerKey(client, account, key);
  const present = account.info.name ? ` The present one is called “${account.info.name}”.` : "";
  const text = replaced
    ? `This key is correct, but it has been replaced by a newer one.${present}`
    : `This key is correct, but it belongs to another account or was replaced.${present}`;
  return { kind: "wrong", text };
}

/** Earlier keys of an account stay in its account data unless everything was reset. */
async function isFormerKey(client: MatrixClient, account: AccountKey, key: KeyBytes): Promise<boolean> {
  for (const [type, event] of client.store.accountData) {
    const id = type.startsWith(KEY_EVENT) ? type.slice(KEY_EVENT.length) : account.id;
    const info = event.getContent<SecretStorageKeyDescriptionAesV1>();
    if (id === account.id || !info.mac) continue;
    if (await fits(client, { id, info }, key)) return true;
  }
  return false;
}

async function accountKey(client: MatrixClient): Promise<AccountKey | null> {
  const found = await client.secretStorage.getKey();
  return found ? { id: found[0], info: found[1] } : null;
}

function fits(client: MatrixClient, account: AccountKey, key: KeyBytes): Promise<boolean> {
  return client.secretStorage.checkKey(key, account.info);
}

async function fromPassphrase(account: AccountKey, input: string): Promise<KeyBytes | null> {
  const { passphrase } = account.info;
  if (!passphrase || input === "") return null;
  const { salt, iterations, bits } = passphrase;
  return deriveRecoveryKeyFromPassphrase(input, salt, iterations, bits);
}
