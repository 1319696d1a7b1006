/**
 * Registration through user-interactive authentication, section "Account registration" of the Client-Server API.
 * Two stages are understood: `m.login.dummy` (an open server) and `m.login.registration_token` (a link was given).
 */
import { type LoginAnswer, request, RequestError } from "./api.ts";

export interface RegistrationForm {
  userName: string;
  password: string;
  deviceName: string;
  token?: string;
}

/** How this server takes new accounts. */
export type RegistrationDoor = "open" | "token" | "closed" | "unsupported";

interface UiaAnswer {
  session: string;
  flows: { stages: string[] }[];
  completed?: string[];
}

const DUMMY = "m.login.dummy";
const TOKEN = "m.login.registration_token";

/** More stages than any flow that is understood here; past it the server is going round in circles. */
const MAX_STAGES = 4;

/** Asks the server how it registers people, without registering anyone. */
export async function registrationDoor(baseUrl: string): Promise<RegistrationDoor> {
  try {
    await request(baseUrl, "/v3/register", { method: "POST", body: {} });
    return "unsupported";
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const uia = uiaOf(error);
    if (!uia) return error.httpStatus === 403 ? "closed" : Promise.reject(error);
    if (uia.flows.some((flow) => flow.stages.every((stage) => stage === DUMMY))) return "open";
    return uia.flows.some(isUnderstood) ? "token" : "unsupported";
  }
}

/**
 * Registers an account and signs in with it.
 *
 * @throws RequestError with the server's refusal; one with `M_UNAUTHORIZED` when the link's token is used up.
 */
export async function registerAccount(baseUrl: string, form: RegistrationForm): Promise<LoginAnswer> {
  let auth: object | undefined;
  for (let stage = 0; stage <= MAX_STAGES; stage++) {
    try {
      return await request<LoginAnswer>(baseUrl, "/v3/register", { method: "POST", body: bodyOf(form, auth) });
    } catch (error) {
      const uia = error instanceof RequestError ? uiaOf(error) : undefined;
      // An errcode beside the flows says that the stage just sent was refused.
      if (!uia || (error as RequestError).errcode) throw error;
      auth = nextStage(uia, form);
    }
  }
  throw new Error("the server asks for more stages than it announced");
}

function bodyOf(form: RegistrationForm, auth: object | undefined): object {
  return {
    username: form.userName,
    password: form.password,
    initial_device_display_name: form.deviceName,
    refresh_token: true,
    ...(auth && { auth }),
  };
}

/** The `auth` of the first stage that is still open, in a flow that can be completed with what the form has. */
function nextStage(uia: UiaAnswer, form: RegistrationForm): object {
  const completed = uia.completed ?? [];
  const wanted = uia.flows.filter(isUnderstood).toSorted((a, b) => rank(a, form) - rank(b, form))[0];
  const stage = wanted?.stages.find((name) => !completed.includes(name));
  if (stage === DUMMY) return { type: DUMMY, session: uia.session };
  if (stage === TOKEN && form.token) return { type: TOKEN, session: uia.session, token: form.token };
  throw new RequestError(403, { errcode: "M_FORBIDDEN", error: "no registration flow can be completed" });
}

/** A person who came with a link wants the flow that uses it, even where the door is open: the link may carry rights. */
function rank(flow: { stages: string[] }, form: RegistrationForm): number {
  return flow.stages.includes(TOKEN) === (form.token !== undefined) ? 0 : 1;
}

function isUnderstood(flow: { stages: string[] }): boolean {
  return flow.stages.every((stage) => stage === DUMMY || stage === TOKEN);
}

function uiaOf(error: RequestError): UiaAnswer | undefined {
  const { session, flows } = error.data;
  if (error.httpStatus !== 401 || typeof session !== "string" || !Array.isArray(flows)) return undefined;
  return error.data as unknown as UiaAnswer;
}
