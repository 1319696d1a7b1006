/**
 * The operator API as the shell reaches it: where it is, and who asks. Who has the database writes a ticket into it for each
 * request; everybody else has PARLEY_ADMIN_TOKEN.
 */
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { writeTicket } from "../console/tickets.ts";
import { connectOwner } from "../db/database.ts";
import { roleOf } from "../db/roles.ts";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { valueOf } from "../secrets/address.ts";
import { dataDirOf, runningEmbedded } from "./database.ts";

const API = "/_parley/admin/v1";

export interface Api {
  /** The body is JSON, or a file as a Blob. Throws StartError where nobody answers, nobody says who asks, or nobody knows whether a change was made. */
  send(request: { method: string; path: string; body?: unknown }): Promise<Response>;
}

interface ApiOptions {
  config: Config;
  /** The address that was typed. */
  server: string | undefined;
  seams: Seams;
}

export function openApi({ config, server, seams }: ApiOptions): Api {
  const addresses = addressesOf(config, server);
  return {
    async send({ method, path, body }) {
      const token = await tokenOf(config, seams);
      const failures: string[] = [];
      for (const address of addresses) {
        const request = { method, token, body, url: address + API + path };
        const answer = await tryOne(seams, request).catch((thrown: unknown) => {
          failures.push(`${address}: ${reasonOf(thrown)}`);
          if (method !== "GET" && !isNobodyThere(thrown)) throw unknownEnd(failures);
        });
        if (answer && !(await isElsewhere(answer))) return answer;
        if (answer) failures.push(`${address}: the operator API is not there`);
      }
      throw new StartError(
        `No Parley answers (${failures.join("; ")}). Start it, or say where it is with --server or PARLEY_SERVER_URL.`,
      );
    },
  };
}

/** Where somebody said; else this machine, and then how clients reach it: a pod may serve other roles. */
function addressesOf({ shell, publicUrl, host, port }: Config, server: string | undefined): string[] {
  const said = server ?? shell.serverUrl;
  if (said !== undefined) return [said.replace(/\/+$/, "")];
  const here = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host;
  const local = port === 0 ? [] : [`http://${here.includes(":") ? `[${here}]` : here}:${port}`];
  return [...local, ...(publicUrl === undefined ? [] : [publicUrl])];
}

/** Another role than web answers so. */
async function isElsewhere(answer: Response): Promise<boolean> {
  if (answer.status !== 404) return false;
  const text = await answer.clone().text();
  return text.includes("M_UNRECOGNIZED");
}

interface One {
  method: string;
  url: string;
  token: string;
  body: unknown;
}

async function tryOne(seams: Seams, { method, url, token, body }: One): Promise<Response> {
  const controller = new AbortController();
  const timer = seams.after(limits.shellAnswer_ms, () => controller.abort(new Error("no answer came in time")));
  try {
    return await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": contentTypeOf(body) },
      signal: controller.signal,
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
  } finally {
    timer.cancel();
  }
}

function contentTypeOf(body: unknown): string {
  return body instanceof Blob ? "application/octet-stream" : "application/json";
}

/** Whether there was no connection, so that nothing can have been done. */
function isNobodyThere(thrown: unknown): boolean {
  const { code } = (asError(thrown).cause ?? {}) as NodeJS.ErrnoException;
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code ?? "");
}

/** What changes something is never asked for twice. */
function unknownEnd(failures: readonly string[]): StartError {
  return new StartError(`No answer came (${failures.join("; ")}). It may have been done: look before you repeat it.`);
}

function reasonOf(thrown: unknown): string {
  const error = asError(thrown);
  return error.cause === undefined ? error.message : asError(error.cause).message;
}

async function tokenOf(config: Config, seams: Seams): Promise<string> {
  if (config.shell.adminToken !== undefined) return valueOf(config.shell.adminToken);
  const url =
    config.databaseUrl ?? config.databaseOwnerUrl ?? (await runningEmbedded(join(dataDirOf(config), "postgres")));
  if (url === undefined)
    throw new StartError(
      "Nobody says who asks: run this where the server runs, or set PARLEY_ADMIN_TOKEN to an operator's access token, or to file:// and a file with it.",
    );
  const client = await connectOwner(url, "parley shell");
  try {
    await client.query(`set role ${roleOf("console")}`);
    const change = async (sql: string, params: readonly unknown[] = []) =>
      (await client.query(sql, params as unknown[])).rowCount ?? 0;
    return await writeTicket({ change }, { seams, actor: `shell:${accountName()}@${hostname()}` });
  } finally {
    await client.end();
  }
}

/** A container's user need not have a name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.() ?? "unknown"}`;
  }
}
