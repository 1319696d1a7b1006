/**
 * E-mail addresses: a new password by mail, before there is a session, and the addresses of an account. An address is proved by the button
 * behind a link in a mail; who asked for the mail has a secret and a number of it. Specification: client-server-api, "Adding account
 * administrative contact information".
 */
import type { MatrixClient } from "matrix-js-sdk";
import { request, RequestError } from "./api.ts";
import { withPassword } from "./uia.ts";

/** What shows that a mail was asked for here. */
export interface MailProof {
  sid: string;
  client_secret: string;
}

const SECRET_BYTES = 24;

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Has a mail sent to an address of an account. Throws RequestError: M_THREEPID_NOT_FOUND, or M_THREEPID_DENIED where the server sends no mails. */
export async function askForReset(baseUrl: string, email: string): Promise<MailProof> {
  const client_secret = newSecret();
  const body = { client_secret, email, send_attempt: 1 };
  const { sid } = await request<{ sid: string }>(baseUrl, "/v3/account/password/email/requestToken", {
    method: "POST",
    body,
  });
  return { sid, client_secret };
}

/** Sets the new password, and signs all devices out. Throws RequestError with M_UNAUTHORIZED before the button was pressed. */
export async function resetPassword(baseUrl: string, proof: MailProof, password: string): Promise<void> {
  const path = "/v3/account/password";
  const body = { new_password: password, logout_devices: true };
  const session = await sessionOf(request(baseUrl, path, { method: "POST", body }));
  const auth = { type: "m.login.email.identity", session, threepid_creds: proof };
  await request(baseUrl, path, { method: "POST", body: { ...body, auth } });
}

async function sessionOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    const session = error instanceof RequestError ? error.data["session"] : undefined;
    if (typeof session === "string") return session;
    throw error;
  }
  throw new Error("the server set a password without asking for a mail");
}

/** The addresses of the account. GET /v3/account/3pid. */
export async function loadAddresses(client: MatrixClient): Promise<readonly string[]> {
  const { threepids } = await client.getThreePids();
  return threepids.filter(({ medium }) => (medium as string) === "email").map(({ address }) => address);
}

/** Whether addresses can be added here. */
export async function takesAddresses(client: MatrixClient): Promise<boolean> {
  const { "m.3pid_changes": changes } = await client.getCapabilities();
  return changes?.enabled === true;
}

/** Has a mail sent to an address that is to be added. */
export async function askForAddress(client: MatrixClient, email: string): Promise<MailProof> {
  const client_secret = newSecret();
  const { sid } = await client.requestAdd3pidEmailToken(email, client_secret, 1);
  return { sid, client_secret };
}

/** Adds the address. Throws M_THREEPID_AUTH_FAILED before the button was pressed, CancelledError when the password dialog is closed. */
export async function addAddress(client: MatrixClient, proof: MailProof): Promise<void> {
  const options = { client, purpose: "add the address" };
  await withPassword(options, (auth) => client.addThreePidOnly({ ...proof, ...(auth && { auth }) } as never));
}

export async function removeAddress(client: MatrixClient, address: string): Promise<void> {
  await client.deleteThreePid("email", address);
}
