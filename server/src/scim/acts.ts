/** What directories do to accounts: made, changed and ended as operators do it, and written into the audit log as theirs is. */
import { beginProfile, changeProfile } from "../account/profile.ts";
import { deactivateAccount } from "../auth/deactivate.ts";
import { bindAddress, ownerOfAddress, removeAddress } from "../auth/email/addresses.ts";
import { suspendAccount } from "../auth/for-operators-acts.ts";
import { moderateAccount } from "../auth/moderation.ts";
import { accountExists, isDeactivated } from "../auth/queries.ts";
import { accountOf } from "../auth/sso/accounts.ts";
import { providersOf } from "../auth/sso/providers.ts";
import { newUserId } from "../auth/user-names.ts";
import { appendAudit } from "../console/audit/append.ts";
import { openRecorder } from "../console/audit/recorder.ts";
import { rolesOf } from "../console/operators.ts";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { forgetConnections } from "../explorer/forget.ts";
import { type Asked, refused } from "./answer.ts";
import { addressesIn, type Described, shownName } from "./described.ts";
import { findPerson, nameFor, type Person, readPerson, saidOf } from "./people.ts";

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
    await store(ctx, by, { userId, described: bare, isNew: true });
    await follow(ctx, by, { person: await reread(ctx, userId), described });
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
  /** What is said of them now. */
  described: Described;
}

/** Changes what is different, and nothing where nothing is: directories send all of it again and again. */
export async function changePerson(ctx: Context, by: By, { person, described }: Change): Promise<Person> {
  await requireNoOperator(ctx, by, person);
  const changed = changesOf(person, described);
  if (changed.length === 0 && person.isAdopted) return person;
  const { userId } = person;
  await requireFree(ctx, by, { userId, described });
  const run = () => follow(ctx, by, { person, described });
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

/** By what another account is in the way: constraints of 0016_scim.sql. */
const IN_USE = {
  taken: "There is an account with the user name of this person already.",
  scim_people_user_name: "This userName is that of another account.",
  scim_people_external_id: "This externalId is that of another account.",
  external_ids_pkey: "Somebody else signs in as this externalId already.",
};

const inUse = (what: string) =>
  refused(409, "uniqueness", IN_USE[what as keyof typeof IN_USE] ?? "Something of this person is another account's.");

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
    if (issuer !== undefined && isOthers(await accountOf(ctx, { issuer, subject }))) throw inUse("external_ids_pkey");
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

async function store(
  ctx: Context,
  { token }: By,
  { userId, described, isNew }: Of & { isNew: boolean },
): Promise<void> {
  const { userName, externalId } = described;
  const values = [userId, userName, externalId ?? null, saidOf(described), token.name, issuerOf(ctx, token) ?? null];
  const row = await ctx.db.auth.one<{ outcome: string }>(isNew ? CREATE : PUT, values);
  if (row?.outcome !== "done") throw inUse(row?.outcome ?? "");
}

const CREATE = "select auth.scim_create($1, $2, $3, $4, $5, $6) as outcome";
const PUT = "select auth.scim_put($1, $2, $3, $4, $5, $6) as outcome";

/** Has the account follow, and writes down last what the directory said: cut in the middle, the next request does what is left. */
async function follow(ctx: Context, by: By, { person, described }: Change): Promise<void> {
  const { userId } = person;
  // Addresses that the person has added are not the directory's to take.
  const [had, has] = [person.isAdopted ? addressesIn(person) : [], addressesIn(described)];
  for (const address of had) if (!has.includes(address)) await removeAddress(ctx, userId, address);
  for (const address of has) await bindAddress(ctx, userId, address);
  const name = shownName(described);
  if (name !== undefined && name !== shownName(person))
    await changeProfile(ctx, userId, { field: "displayname", value: name });
  const isSuspended = person.active && !described.active;
  if (isSuspended) await suspendAccount(ctx, userId);
  // What an operator has suspended, an operator lets in again.
  if (!person.active && described.active && person.isOwnSuspension)
    await moderateAccount(ctx, userId, { locked: false });
  await store(ctx, by, { userId, described, isNew: false });
  if (isSuspended) await ctx.db.auth.change(OWN_SUSPENSION, [userId]);
}

const OWN_SUSPENSION = `update auth.scim_people p set suspended_at = a.suspended_at
  from auth.accounts a where a.user_id = p.user_id and p.user_id = $1`;

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
