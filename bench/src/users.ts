import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Connection, connect } from "./http.ts";
import { call, patientExchange, UnexpectedAnswer, type User } from "./matrix.ts";

export interface UserSource {
  origin: string;
  count: number;
  registrationToken?: string | undefined;
  /** File of accounts; without it, accounts are registered. */
  file?: string | undefined;
  progress: (text: string) => void;
}

interface Account {
  user_id: string;
  password?: string;
  access_token?: string;
}

/** Servers hash passwords on purpose slowly and with a bounded queue; more at once would only be refused. */
const CONCURRENCY = 4;

/**
 * Gives `count` signed-in users, or as many as the file holds. Registration answers the
 * user-interactive stages `m.login.dummy` and `m.login.registration_token` (client-server API, 5.3
 * and 5.6) and waits when it is told to.
 */
export async function prepareUsers(source: UserSource): Promise<User[]> {
  const prefix = `bench-${randomBytes(4).toString("hex")}`;
  const accounts = source.file === undefined ? undefined : await readAccounts(source.file, source.count);
  const count = accounts?.length ?? source.count;
  const users: User[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const connection = connect(source.origin);
    try {
      for (let index = next++; index < count; index = next++) {
        const account = accounts?.[index];
        users[index] = account
          ? await signIn(connection, account)
          : await register(connection, { username: `${prefix}-${index}`, token: source.registrationToken });
        source.progress(`users ${users.filter(Boolean).length}/${count}`);
      }
    } finally {
      await connection.destroy();
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, work));
  return users;
}

async function readAccounts(file: string, count: number): Promise<Account[]> {
  const accounts: unknown = JSON.parse(await readFile(file, "utf8"));
  if (!Array.isArray(accounts)) throw new Error(`${file} is not a JSON list of accounts`);
  return (accounts as Account[]).slice(0, count);
}

async function signIn(connection: Connection, account: Account): Promise<User> {
  if (account.access_token !== undefined) {
    return { userId: account.user_id, accessToken: account.access_token };
  }
  const body = JSON.stringify({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: account.user_id },
    password: account.password,
  });
  const made = await call<Session>(connection, undefined, { method: "POST", path: "/_matrix/client/v3/login", body });
  return { userId: made.user_id, accessToken: made.access_token };
}

interface Session {
  user_id: string;
  access_token: string;
}

/** The answer of a request that wants user-interactive authentication (client-server API, 5.3). */
interface Challenge {
  session: string;
  flows: { stages: string[] }[];
  completed?: string[];
}

async function register(
  connection: Connection,
  account: { username: string; token: string | undefined },
): Promise<User> {
  const password = randomBytes(12).toString("hex");
  let auth: Record<string, unknown> | undefined;
  // Each round completes one stage; a flow that we can answer has at most two.
  for (let round = 0; round <= 2; round++) {
    const request = {
      method: "POST" as const,
      path: "/_matrix/client/v3/register",
      headers: ["content-type", "application/json"],
      body: JSON.stringify({ username: account.username, password, ...(auth && { auth }) }),
    };
    const answer = await patientExchange(connection, request);
    if (answer.status === 200) {
      const made = JSON.parse(answer.body.toString()) as Session;
      return { userId: made.user_id, accessToken: made.access_token };
    }
    if (answer.status !== 401) throw new UnexpectedAnswer(request, answer);
    auth = nextStage(JSON.parse(answer.body.toString()) as Challenge, account.token);
  }
  throw new Error(`${account.username}: registration asked for more stages than its flow has`);
}

/** Answers the first open stage of the first flow that we can complete. */
function nextStage(challenge: Challenge, token: string | undefined): Record<string, unknown> {
  const answerable = token === undefined ? ["m.login.dummy"] : ["m.login.dummy", "m.login.registration_token"];
  const flow = challenge.flows.find(({ stages }) => stages.every((stage) => answerable.includes(stage)));
  const stage = flow?.stages.find((name) => !challenge.completed?.includes(name));
  if (stage === undefined) {
    const flows = challenge.flows.map(({ stages }) => stages.join(" + ")).join(", or ");
    throw new Error(`the server registers only by ${flows}; try --registration-token or --users`);
  }
  return { type: stage, session: challenge.session, ...(stage === "m.login.registration_token" && { token }) };
}
