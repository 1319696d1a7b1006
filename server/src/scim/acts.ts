/** What directories do to accounts: made, changed and ended as operators do it, and written into the audit log as theirs is. */
import { beginProfile, changeProfile } from "../account/profile.ts";
import { deactivateAccount } from "../auth/deactivate.ts";
import { bindAddress, ownerOfAddress, removeAddress, removeAddresses } from "../auth/email/addresses.ts";
import { accountExists, isDeactivated } from "../auth/queries.ts";
import { accountOf } from "../auth/sso/accounts.ts";
import { providersOf } from "../auth/sso/providers.ts";
import { newUserId } from "../auth/user-names.ts";
import { appendAudit } from "../console/audit/append.ts";
import { openRecorder } from "../console/audit/recorder.ts";
import { rolesOf } from "../console/operators.ts";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { matrixError } from "../errors.ts";
import { forgetConnections } from "../explorer/forget.ts";
import { limits } from "../limits.ts";
import { type Asked, refused } from "./answer.ts";
import { addressesIn, type Described, shownName } from "./described.ts";
import { create, inUse, keep } from "./keep.ts";
import { findPerson, nameFor, type Person, readPerson } from "./people.ts";

type By = Pick<Asked, "token" | "address">;

const actOf = ({ token, address }: By, action: string, target: string) => ({
  actor: { userId: `scim:${token.name}`, via: "scim" as const, address },
  action,
  target,
});

interface Act {
  action: "provisioning.create" | "provisioning.change" | "provisioning.remove";
  userId: string;
  before?: object;
  after?: object;
  run(): Promise<unknown>;
}

/** As an operation of an operator: an entry says that it begins, and another how it ended. */
async function audited(ctx: Context, by: By, { action, userId, before, after, run }: Act): Promise<void> {
  const recorder = openRecorder(ctx, actOf(by, action, userId));
  await recorder.begin(after);
  try {
    await run();
  } catch (thrown) {
    await recorder.failed(thrown);
    throw thrown;
  }
  recorder.audit({ before, after });
  await recorder.done();
}

/** Makes the account of somebody new. Throws 409 where there is one, or something of it is another's. */
export async function createPerson(ctx: Context, by: By, described: Described): Promise<Person> {
  const userId = newUserId(ctx, nameFor(described.userName));
  if (await accountExists(ctx, userId)) throw await taken(ctx, userId);
  await requireFree(ctx, by, { userId, described });
  const after = { changed: saidMembers(described), active: described.active };
  const run = async () => {
    // Before the account is there, so that none is missing in the directory of people or without a name.
    await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
    const bare = { ...described, displayName: undefined, name: undefined, emails: [] };
    await create(ctx, { userId, described: bare, ...sayingOf(ctx, by) });
    await follow(ctx, by, { person: await reread(ctx, userId), describe: () => described });
  };
  await audited(ctx, by, { action: "provisioning.create", userId, after, run });
  return reread(ctx, userId);
}

async function taken(ctx: Context, userId: string) {
  return refused(
    409,
    "uniqueness",
    (await isDeactivated(ctx, userId))
      ? `${userId} was ended for good, and its name is nobody's again. Give this person another userName.`
      : `There is an account ${userId} already. Find it by its userName, and change it, to take it over.`,
  );
}

interface Change {
  person: Person;
  /** What is said of them now, on top of what was. Throws what is refused. */
  describe(person: Person): Described;
}

/** Changes what is different, and nothing where nothing is: directories send all of it again and again. */
export async function changePerson(ctx: Context, by: By, { person, describe }: Change): Promise<Person> {
  const described = describe(person);
  await requireNoOperator(ctx, by, person);
  const changed = changesOf(person, described);
  if (changed.length === 0 && person.isAdopted) return person;
  const { userId } = person;
  await requireFree(ctx, by, { userId, described });
  const run = () => follow(ctx, by, { person, describe });
  const [before, after] = [{ active: person.active }, { changed, active: described.active }];
  await audited(ctx, by, { action: "provisioning.change", userId, before, after, run });
  return reread(ctx, userId);
}

/** Ends the account for good, and erases nothing. Throws 403 for one that no directory made or took over. */
export async function removePerson(ctx: Context, by: By, person: Person): Promise<void> {
  const { userId } = person;
  await requireNoOperator(ctx, by, person);
  if (!person.isAdopted)
    throw refused(403, undefined, `${userId} was neither made nor taken over by a directory, which so can not end it.`);
  const run = async () => {
    await deactivateAccount(ctx, userId, false);
    // A change at the same moment may have added one.
    await removeAddresses(ctx, userId);
    await forgetConnections(ctx, userId);
    await ctx.db.auth.change("update auth.scim_people set removed_at = now() where user_id = $1", [userId]);
  };
  await audited(ctx, by, { action: "provisioning.remove", userId, before: { active: person.active }, run });
}

/** Whoever holds the directory must not become an operator by it, nor lock the operators out. */
async function requireNoOperator(ctx: Context, by: By, { userId, isAdmin }: Person): Promise<void> {
  const role = (await rolesOf(ctx, [{ userId, isAdmin }])).get(userId);
  if (role === undefined) return;
  await ctx.rates.admit("operatorDenied", by.token.token_id);
  const act = actOf(by, "provisioning.change", userId);
  await appendAudit(ctx, [{ ...act, outcome: "denied", error: "M_FORBIDDEN" }]);
  throw refused(
    403,
    undefined,
    `${userId} is an operator's account ("${role}"), which directories can not change. Leave it out of what is provisioned.`,
  );
}

interface Of {
  userId: string;
  described: Described;
}

/** Looks before anything is changed. Whoever comes at the same moment meets the database's own rules. */
async function requireFree(ctx: Context, { token }: By, { userId, described }: Of): Promise<void> {
  const { userName, externalId: subject } = described;
  const isOthers = (owner: string | undefined) => owner !== undefined && owner !== userId;
  const named = await findPerson(ctx, { by: "userName", value: userName });
  if (named?.isAdopted && isOthers(named.userId)) throw inUse("scim_people_user_name");
  if (subject !== undefined) {
    if (isOthers((await findPerson(ctx, { by: "externalId", value: subject }))?.userId))
      throw inUse("scim_people_external_id");
    const issuer = issuerOf(ctx, token);
    const owner = issuer === undefined ? undefined : await accountOf(ctx, { issuer, subject });
    if (owner !== undefined && isOthers(owner) && !(await isDeactivated(ctx, owner))) throw inUse("external_ids_pkey");
  }
  for (const address of addressesIn(described)) {
    const owner = await ownerOfAddress(ctx, address);
    if (isOthers(owner)) throw refused(409, "uniqueness", `An e-mail address of this person is that of ${owner}.`);
  }
}

/** Of the provider whose people the directory's are, where the token names one that there still is. */
function issuerOf(ctx: Context, { provider_id }: By["token"]): string | undefined {
  return providersOf(ctx).find(({ id }) => id === provider_id)?.issuer;
}

const sayingOf = (ctx: Context, { token }: By) => ({ by: token.name, issuer: issuerOf(ctx, token) });

/**
 * Has the account follow, and writes down last what the directory said: cut in the middle, the next request does what is left. Where another
 * request was faster, it looks again at what is said by then, so that neither undoes what the other one did.
 */
async function follow(ctx: Context, by: By, { person, describe }: Change): Promise<void> {
  const { userId } = person;
  let now = person;
  const touched = new Set<string>();
  for (let attempt = 1; attempt <= limits.scim_attempts; attempt++) {
    const described = describe(now);
    await followOnce(ctx, { person: now, described, touched });
    const outcome = await keep(ctx, { userId, described, version: now.version, ...sayingOf(ctx, by) });
    if (outcome === "done") return;
    // Nobody could take them away any more.
    if (outcome === "gone") await removeAddresses(ctx, userId);
    now = await reread(ctx, userId);
  }
  throw matrixError("M_LIMIT_EXCEEDED", "This account is being changed by other requests. Send it again.", {
    retryAfter_ms: limits.scimRetry_ms,
  });
}

interface Following {
  person: Person;
  described: Described;
  /** Addresses that were added or taken away in this request, in attempts that another request was faster than. */
  touched: Set<string>;
}

/** Everything but whether the person may come in, which `keep` sees to. */
async function followOnce(ctx: Context, { person, described, touched }: Following): Promise<void> {
  const { userId } = person;
  // Addresses that the person has added are not the directory's to take.
  const [had, has] = [person.isAdopted ? addressesIn(person) : [], addressesIn(described)];
  const gone = [...new Set([...had, ...touched])].filter((address) => !has.includes(address));
  const added = has.filter((address) => !had.includes(address) || touched.has(address));
  for (const address of [...gone, ...added]) touched.add(address);
  for (const address of gone) await removeAddress(ctx, userId, address);
  for (const address of added) await bindAddress(ctx, userId, address);
  const name = shownName(described);
  if (name !== undefined && name !== shownName(person))
    await changeProfile(ctx, userId, { field: "displayname", value: name });
}

/** The names of what is different, for the audit log, which keeps them for ever: the values stay out of it. */
function changesOf(before: Person, after: Described): string[] {
  const names = ["userName", "externalId", "displayName", "name", "emails"] as const;
  const changed: string[] = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const isFollowed = after.active !== before.active && (!after.active || before.isOwnSuspension);
  return isFollowed ? [...changed, "active"] : changed;
}

function saidMembers(described: Described): string[] {
  return Object.entries(described)
    .filter(([name, value]) => name !== "active" && value !== undefined && (!Array.isArray(value) || value.length > 0))
    .map(([name]) => name);
}

async function reread(ctx: Context, userId: string): Promise<Person> {
  const person = await readPerson(ctx, userId);
  if (!person) throw refused(404, undefined, "The account has ended meanwhile.");
  return person;
}
