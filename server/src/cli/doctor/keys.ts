/** Passwords that PostgreSQL takes only until a day, and master keys that saved passwords still need. */
import { purposeOf, wrappedOtherwise } from "../../auth/factors/sealing.ts";
import type { Database } from "../../db/database.ts";
import { asError } from "../../errors.ts";
import { openCredentials } from "../../explorer/credentials/open.ts";
import { rewrapKey } from "../../explorer/envelope.ts";
import { openExplorerKeys } from "../../explorer/master-keys.ts";
import { nameOfFirst } from "../../secrets/master-keys.ts";
import { createLogger } from "../../logger.ts";
import { counted, type Finding, orWell, type Check, type Patient } from "./finding.ts";

const WARNING_DAYS = 14;
const DAY_MS = 86_400_000;

/** How many saved passwords are looked at: those that can not be opened differ in nothing. */
const MOST = 20;

export const keys: Check = {
  name: "keys",
  async look(patient) {
    const found = [
      ...(await passwords(patient)),
      ...(await savedPasswords(patient)),
      ...(await factorSecrets(patient)),
    ];
    return orWell(
      "keys",
      found,
      "No password and no key is about to expire, and each saved password and second factor has its master key.",
    );
  },
};

interface Login {
  name: string;
  /** Undefined where it has no end. */
  until_ms: number | null;
}

const LOGIN = `select session_user::text as name,
    case when isfinite(rolvaliduntil) then extract(epoch from rolvaliduntil)::float8 * 1000 end as until_ms
  from pg_roles where rolname = session_user`;

/** Of whom the processes sign in as, and of the owner. */
async function passwords({ db, owner, seams }: Patient): Promise<Finding[]> {
  const [serving, owning] = [await loginOf(db), (await owner.query<Login>(LOGIN)).rows[0]];
  const logins = new Map([serving, owning].flatMap((each) => (each ? [[each.name, each.until_ms] as const] : [])));
  return [...logins].flatMap(([name, until_ms]) => {
    const left_ms = (until_ms ?? Infinity) - seams.now_ms();
    if (left_ms > WARNING_DAYS * DAY_MS) return [];
    return [passwordFinding(name, left_ms)];
  });
}

function passwordFinding(name: string, left_ms: number): Finding {
  const fix = `Give the user another password with "parley rotate database", or a later day: alter role "${name}" valid until '…'.`;
  const days = Math.max(0, Math.floor(left_ms / DAY_MS));
  if (left_ms <= 0)
    return {
      check: "keys",
      state: "failure",
      says: `PostgreSQL no longer takes the password of "${name}": its VALID UNTIL is over, and whoever connects anew is refused.`,
      fix,
    };
  return {
    check: "keys",
    state: "warning",
    says: `PostgreSQL takes the password of "${name}" for ${counted(days, "more day", "more days")} (VALID UNTIL).`,
    fix,
  };
}

async function loginOf(db: Database): Promise<Login | undefined> {
  return db.log.one<Login>(LOGIN);
}

/** Of connections in the explorer, where there are any. */
async function savedPasswords(patient: Patient): Promise<Finding[]> {
  const store = openCredentials(patient);
  if ((await store.byMasterKey()).size === 0) return [];
  const logger = createLogger("silent");
  const masterKeys = await openExplorerKeys({ ...patient, logger });
  try {
    const others = await store.wrappedOtherwise(nameOfFirst(masterKeys), MOST);
    const lost = others.flatMap((saved) => {
      try {
        rewrapKey(saved, masterKeys);
        return [];
      } catch (thrown) {
        return [asError(thrown).message];
      }
    });
    if (lost[0] !== undefined)
      return [{ check: "keys", state: "failure", says: lost[0], fix: "See docs/operations/explorer.md, Passwords." }];
    if (others.length === 0) return [];
    return [
      {
        check: "keys",
        state: "warning",
        says: "Some saved passwords are still wrapped with an older master key: a rotation was begun and not finished.",
        fix: 'Run "parley rotate master-key", which finishes it.',
      },
    ];
  } finally {
    masterKeys.close();
  }
}

/** Of people's second factors, where there are any. */
async function factorSecrets(patient: Patient): Promise<Finding[]> {
  const { auth } = patient.db;
  if (!(await auth.one("select 1 from auth.totp_secrets limit 1"))) return [];
  const masterKeys = await openExplorerKeys({ ...patient, logger: createLogger("silent") });
  try {
    const others = await wrappedOtherwise(auth, nameOfFirst(masterKeys), MOST);
    for (const { userId, wrapped } of others) masterKeys.unwrap(wrapped, purposeOf(userId));
    return [];
  } catch (thrown) {
    const fix =
      "See docs/operations/second-factors.md. Until then these people sign in with a passkey or a recovery code.";
    return [{ check: "keys", state: "failure", says: asError(thrown).message, fix }];
  } finally {
    masterKeys.close();
  }
}
