/**
 * HashiCorp Vault and OpenBao: the key-value store, version 2, by a token that is given or that the account of the pod is exchanged
 * for. A token is renewed when two thirds of its time are over; where that can not be, the pod signs in again.
 * https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2, …/auth/kubernetes, …/auth/token
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ask, type Asking, askJson, CloudError } from "../cloud/ask.ts";
import type { Seams, Timer } from "../seams.ts";
import { type Address, valueOf } from "./address.ts";
import type { Provider } from "./secrets.ts";

export interface VaultOptions {
  url: string;
  namespace: string | undefined;
  /** Where the key-value store is mounted. */
  mount: string;
  access: { token: Address } | { role: string; authPath: string; tokenFile: string };
  seams: Seams;
}

const auth = z.looseObject({
  auth: z.looseObject({ client_token: z.string(), lease_duration: z.number(), renewable: z.boolean() }),
});
const lookup = z.looseObject({ data: z.looseObject({ ttl: z.number(), renewable: z.boolean().optional() }) });
const secret = z.looseObject({ data: z.looseObject({ data: z.record(z.string(), z.unknown()).nullable() }) });

interface Session {
  token: string;
  renewing: Timer | undefined;
}

export function vaultProvider(options: VaultOptions): Provider {
  const { mount, seams } = options;
  const asking = askingOf(options);
  let session: Promise<Session> | undefined;
  const signedIn = () => {
    session ??= signIn(options, asking, () => (session = undefined)).catch((thrown: unknown) => {
      session = undefined;
      throw thrown;
    });
    return session;
  };
  const forget = async () => {
    const old = session;
    session = undefined;
    (await old?.catch(() => undefined))?.renewing?.cancel();
  };
  const request = async (name: string) => {
    const { token } = await signedIn();
    const path = name.split("/").map(encodeURIComponent).join("/");
    return ask(seams, { ...asking(`${mount}/data/${path}`, token), expected: [403, 404] });
  };
  return {
    name: "Vault",
    async read(name) {
      let answer = await request(name);
      // The token may have run out or been revoked; so may the permission, and then it is refused again.
      if (answer.status === 403) {
        await forget();
        answer = await request(name);
      }
      if (answer.status === 403) throw new CloudError("Vault refuses it (403)", { status: 403 });
      const body: unknown = await answer.json().catch(() => undefined);
      const data = answer.status === 404 ? undefined : secret.parse(body).data.data;
      return data ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, textOf(value)])) : undefined;
    },
    close: () => void forget(),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

type MakeAsking = (path: string, token: string | undefined) => Asking;

function askingOf({ url, namespace }: VaultOptions): MakeAsking {
  return (path, token) => ({
    service: "Vault",
    url: `${url.replace(/\/+$/, "")}/v1/${path}`,
    headers: () => ({
      "x-vault-request": "true",
      ...(token === undefined ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    }),
  });
}

/** `onEnd` is called when the token can not be renewed: the next request signs in again. */
async function signIn({ access, seams }: VaultOptions, asking: MakeAsking, onEnd: () => void): Promise<Session> {
  const session: Session = { token: "", renewing: undefined };
  const keep = (lease_s: number, renewable: boolean) => {
    session.renewing?.cancel();
    if (lease_s <= 0) return;
    const due_ms = (lease_s * 1_000 * 2) / 3;
    session.renewing = seams.after(due_ms, () => void (renewable ? renew().catch(onEnd) : onEnd()));
  };
  const renew = async () => {
    const answer = await askJson(seams, {
      ...asking("auth/token/renew-self", session.token),
      method: "POST",
      body: "{}",
    });
    const { auth: renewed } = auth.parse(answer);
    keep(renewed.lease_duration, renewed.renewable);
  };
  if ("token" in access) {
    session.token = valueOf(access.token);
    const { data } = lookup.parse(await askJson(seams, asking("auth/token/lookup-self", session.token)));
    keep(data.ttl, data.renewable ?? false);
    return session;
  }
  const jwt = (await readFile(access.tokenFile, "utf8")).trim();
  const body = JSON.stringify({ role: access.role, jwt });
  const path = `auth/${access.authPath}/login`;
  const given = auth.parse(await askJson(seams, { ...asking(path, undefined), method: "POST", body })).auth;
  session.token = given.client_token;
  keep(given.lease_duration, given.renewable);
  return session;
}
