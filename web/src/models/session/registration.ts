/**
 * Registration through user-interactive authentication, section "Account registration" of the Client-Server API.
 * Three stages are understood: `m.login.dummy` (an open server), `m.login.registration_token` (a link was given) and `m.login.terms`.
 */
import { type LoginAnswer, request, RequestError } from "./api.ts";
import { type Accepted, areAccepted, policiesOf, type Policy } from "./policies.ts";

export interface RegistrationForm {
  userName: string;
  password: string;
  deviceName: string;
  token?: string;
  /** What the person has ticked. */
  accepted?: Accepted;
}

/** How this server takes new accounts; `page`: on a page of its own, since it asks for what a form of ours can not show. */
export type RegistrationDoor = "open" | "page" | "token" | "closed" | "unsupported";

export interface AtTheDoor {
  door: RegistrationDoor;
  /** What whoever makes an account has to accept. */
  policies: readonly Policy[];
}

interface UiaAnswer {
  session: string;
  flows: { stages: string[] }[];
  completed?: string[];
  params?: Record<string, unknown>;
}

const DUMMY = "m.login.dummy";
const TOKEN = "m.login.registration_token";
const TERMS = "m.login.terms";
/** Its widget is a script from elsewhere, which the policy of this app lets nobody load. */
const CAPTCHA = "m.login.recaptcha";

/** More stages than any flow that is understood here; past it the server is going round in circles. */
const MAX_STAGES = 4;

/** Asks the server how it registers people, without registering anyone. */
export async function registrationDoor(baseUrl: string): Promise<AtTheDoor> {
  try {
    await request(baseUrl, "/v3/register", { method: "POST", body: {} });
    return { door: "unsupported", policies: [] };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const uia = uiaOf(error);
    if (uia) return { door: doorOf(uia), policies: policiesAsked(uia) };
    return error.httpStatus === 403 ? { door: "closed", policies: [] } : Promise.reject(error);
  }
}

function doorOf({ flows }: UiaAnswer): RegistrationDoor {
  const isThere = (known: string[]) => flows.some(({ stages }) => stages.every((stage) => known.includes(stage)));
  if (isThere([DUMMY, TERMS])) return "open";
  if (isThere([DUMMY, TERMS, CAPTCHA])) return "page";
  return flows.some(isUnderstood) ? "token" : "unsupported";
}

function policiesAsked({ flows, params }: UiaAnswer): Policy[] {
  return flows.some(({ stages }) => stages.includes(TERMS)) ? policiesOf(params?.[TERMS]) : [];
}

/**
 * Registers an account and signs in with it.
 *
 * @throws RequestError with the server's refusal; one with `M_UNAUTHORIZED` when the link's token is used up. Error where the server names
 * other policies than were accepted.
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
  if (stage === TERMS) return acceptance(uia, form);
  if (stage === TOKEN && form.token) return { type: TOKEN, session: uia.session, token: form.token };
  throw new RequestError(403, { errcode: "M_FORBIDDEN", error: "no registration flow can be completed" });
}

/** Says for the person what they have said, and nothing else: a version may have changed since the form was shown. */
function acceptance(uia: UiaAnswer, { accepted = {} }: RegistrationForm): object {
  if (areAccepted(policiesAsked(uia), accepted)) return { type: TERMS, session: uia.session };
  throw new Error("the policies of this server have changed meanwhile. Load this page again to read them.");
}

/** A person who came with a link wants the flow that uses it, even where the door is open: the link may carry rights. */
function rank(flow: { stages: string[] }, form: RegistrationForm): number {
  return flow.stages.includes(TOKEN) === (form.token !== undefined) ? 0 : 1;
}

function isUnderstood(flow: { stages: string[] }): boolean {
  return flow.stages.every((stage) => [DUMMY, TOKEN, TERMS].includes(stage));
}

function uiaOf(error: RequestError): UiaAnswer | undefined {
  const { session, flows } = error.data;
  if (error.httpStatus !== 401 || typeof session !== "string" || !Array.isArray(flows)) return undefined;
  return error.data as unknown as UiaAnswer;
}
