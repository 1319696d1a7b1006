import { call, pathOf } from "../../api.ts";
import { exactTime } from "../../model/time.ts";
import { useAnswer } from "../../model/queries.ts";
import type { Act } from "../../parts/acts.ts";
import { Copied } from "../../parts/Copied.tsx";
import { count } from "../../parts/words.ts";
import type { Reached } from "./UserAccess.tsx";
import type { User, UserDetail } from "./shapes.ts";

const post = (path: string, body: object) => call(path, { method: "POST", body });

interface Link {
  link: string | null;
  link_expires_ts: number | null;
}

/** What is shown once: the way for a person to set a password. */
function OneTimeLink({ link, link_expires_ts }: Link) {
  if (link === null) return <p>The account is there. Give the person the password by a way that nobody else reads.</p>;
  return (
    <>
      <p>
        Give this link to the person by a way that nobody else reads. It is shown once
        {link_expires_ts === null ? "" : `, and holds until ${exactTime(link_expires_ts)}`}.
      </p>
      <Copied label="Link" text={link} />
    </>
  );
}

export function inviteUser(): Act<Link & { user_id: string }> {
  return {
    title: "Make an account",
    consequence: "The person sets their own password with a link that is shown once.",
    label: "Make the account",
    fields: [
      { name: "username", label: "User name", hint: "What stands before the colon of the user id." },
      { name: "display_name", label: "Name", isOptional: true },
    ],
    run: ({ username = "", display_name = "" }) =>
      call("/users", {
        method: "POST",
        body: { username: username.trim(), ...(display_name.trim() ? { display_name: display_name.trim() } : {}) },
      }),
    says: ({ user_id }) => `Made ${user_id}.`,
    shows: (link) => <OneTimeLink {...link} />,
  };
}

const named = (users: readonly Pick<User, "user_id">[]) =>
  users.length === 1 ? (users[0]?.user_id ?? "") : count(users.length, "account");

/** How many devices would be signed out: of people in a list, what the list said. */
const devicesOf = (users: readonly Pick<User, "devices">[]) => users.reduce((sum, { devices }) => sum + devices, 0);

interface Outcomes {
  items: { user_id: string; ok: boolean; error?: string }[];
}

/** Several at once are one request; the sentence says who was refused. */
async function forAll(
  users: readonly User[],
  act: "suspend" | "unsuspend" | "deactivate",
  body: object,
): Promise<void> {
  const [first] = users;
  if (users.length === 1 && first) return void (await post(pathOf`/users/${first.user_id}/${act}`, body));
  const { items } = await call<Outcomes>(pathOf`/users/${act}`, {
    method: "POST",
    body: { ...body, user_ids: users.map(({ user_id }) => user_id) },
  });
  const refused = items.filter(({ ok }) => !ok);
  if (refused.length > 0)
    throw new Error(
      `${count(refused.length, "account")} could not be changed: ${refused.map(({ user_id, error }) => `${user_id} (${error})`).join(", ")}`,
    );
}

export function suspendUsers(users: readonly User[]): Act {
  const what = named(users);
  return {
    title: `Suspend ${what}?`,
    consequence: (
      <>
        {count(devicesOf(users), "device")} will be signed out at once and their keys removed, and{" "}
        {users.length === 1 ? "the account stays" : "these accounts stay"} locked until it is taken back: nobody can
        sign in. After that, encrypted history needs the key backup with its recovery key. <Rooms users={users} />
      </>
    ),
    label: "Suspend",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => forAll(users, "suspend", { reason }),
    done: `Suspended ${what}.`,
    undo: () => forAll(users, "unsuspend", { reason: "Taken back" }),
  };
}

/** In how many rooms the keys change when one person's devices go. */
function Rooms({ users }: { users: readonly User[] }) {
  const userId = users.length === 1 ? users[0]?.user_id : undefined;
  const { data } = useAnswer<Reached>("/graph/reach", { query: { user_id: userId }, enabled: userId !== undefined });
  if (!data) return null;
  const encrypted = data.items.filter(({ how, encrypted: isEncrypted }) => how === "member" && isEncrypted);
  return `The others in ${count(encrypted.length, "encrypted room")} begin with new keys.`;
}

/** In Matrix's words the account is suspended. */
export function restrictUser(user: User): Act {
  return {
    title: `Let ${user.user_id} only read?`,
    consequence:
      "Sessions go on, and new ones can begin. Sending, joining, inviting and changing the profile are refused until it is taken back; leaving rooms, redacting their own messages and verifying devices are not.",
    label: "Let only read",
    isDangerous: true,
    asksReason: true,
    run: async ({ reason }) => void (await post(pathOf`/users/${user.user_id}/restrict`, { reason })),
    done: `${user.user_id} may only read.`,
    undo: () => forAll([user], "unsuspend", { reason: "Taken back" }),
  };
}

export function unsuspendUsers(users: readonly User[]): Act {
  const what = named(users);
  return {
    title: `Let ${what} in again?`,
    consequence: "Signing in and acting work again. Sessions that were ended stay ended; others go on.",
    label: "Let in again",
    asksReason: true,
    run: ({ reason }) => forAll(users, "unsuspend", { reason }),
    done: `${what} can sign in and act again.`,
  };
}

export function resetSignIn(user: User): Act<Link> {
  return {
    title: `Reset the sign-in of ${user.user_id}?`,
    consequence: `The password and the passkeys go, and ${count(user.devices, "device")} will be signed out. The person sets a new password with a link. Their recovery key is theirs alone: it is neither needed nor changed.`,
    label: "Reset sign-in",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => call(pathOf`/users/${user.user_id}/reset-sign-in`, { method: "POST", body: { reason } }),
    done: `Reset the sign-in of ${user.user_id}.`,
    shows: (link) => <OneTimeLink {...link} />,
  };
}

export function removeSecondFactors(user: User): Act {
  return {
    title: `Remove the second factors of ${user.user_id}?`,
    consequence:
      "Passkeys, codes from an app and recovery codes go: from then on the password alone signs in. Sessions go on. Be sure that it is the person who asks, by a way that needs none of these.",
    label: "Remove second factors",
    isDangerous: true,
    asksReason: true,
    run: async ({ reason }) => void (await post(pathOf`/users/${user.user_id}/remove-second-factors`, { reason })),
    done: `Removed the second factors of ${user.user_id}.`,
  };
}

export function renameUser(user: User): Act {
  return {
    title: `Name of ${user.user_id}`,
    consequence: "It changes here and in every room that the person is in.",
    label: "Save",
    asksReason: true,
    fields: [{ name: "display_name", label: "Name", initial: user.display_name ?? "", isOptional: true }],
    run: ({ display_name = "", reason }) => setName(user, display_name.trim() || null, reason),
    done: `Renamed ${user.user_id}.`,
    undo: () => setName(user, user.display_name, "Taken back"),
  };
}

function setName({ user_id }: User, display_name: string | null, reason = ""): Promise<unknown> {
  return call(pathOf`/users/${user_id}/display-name`, { method: "PUT", body: { display_name, reason } });
}

export function deactivateUser(user: UserDetail): Act {
  return {
    title: `Deactivate ${user.user_id}?`,
    consequence: `For good: ${count(user.devices, "device")} will be signed out, the account leaves its rooms, and nobody can ever use its name again.`,
    label: "Deactivate",
    isDangerous: true,
    asksReason: true,
    fields: [
      {
        name: "erase",
        label: "What the person wrote",
        options: [
          { value: "no", label: "Stays readable", hint: "For everybody who could read it." },
          { value: "yes", label: "Is erased for newcomers", hint: "People who join a room later do not see it." },
        ],
      },
    ],
    typed: user.user_id,
    run: ({ reason, erase }) => post(pathOf`/users/${user.user_id}/deactivate`, { reason, erase: erase === "yes" }),
    done: `Deactivated ${user.user_id}.`,
  };
}

export function exportUser({ user_id }: Pick<User, "user_id">): Act {
  return {
    title: `Gather the data of ${user_id}?`,
    consequence:
      "Everything that the server has of this person, also what they wrote where it was not encrypted, can be fetched by owners and by the person for seven days. The person sees who gathered it.",
    label: "Gather",
    asksReason: true,
    run: ({ reason }) => post(pathOf`/users/${user_id}/exports`, { reason }),
    done: `The data of ${user_id} are being gathered: see the tab Data.`,
  };
}

export function eraseUser(user: UserDetail): Act {
  return {
    title: `Erase ${user.user_id}?`,
    consequence: `For good: ${count(user.devices, "device")} will be signed out, and everything that the server has of the person is removed, also what they wrote, from every room. What others have on their devices stays there. Nobody can ever use the name again.`,
    label: "Erase",
    isDangerous: true,
    asksReason: true,
    typed: user.user_id,
    run: ({ reason }) => post(pathOf`/users/${user.user_id}/erase`, { reason }),
    done: `${user.user_id} is being erased: the proof will be in the tab Data.`,
  };
}

const ROLES = [
  { value: "none", label: "No operator", hint: "The console does not open." },
  { value: "auditor", label: "Auditor", hint: "Reads everything here, changes nothing." },
  { value: "operator", label: "Operator", hint: "Acts on people, rooms and media." },
  { value: "owner", label: "Owner", hint: "Also decides who is an operator, settings and keys." },
];

export function setRole({ user_id, role }: Pick<User, "user_id" | "role">): Act {
  const put = (value: string | null, reason = "") =>
    call(pathOf`/users/${user_id}/role`, { method: "PUT", body: { role: value, reason } });
  return {
    title: `Role of ${user_id}`,
    consequence: "It counts from the next request on, on every replica.",
    label: "Save",
    asksReason: true,
    fields: [{ name: "role", label: "Role", options: ROLES, initial: role ?? "none" }],
    run: ({ role: chosen, reason }) => put(chosen === "none" ? null : (chosen ?? null), reason),
    done: `Changed the role of ${user_id}.`,
    undo: () => put(role, "Taken back"),
  };
}
