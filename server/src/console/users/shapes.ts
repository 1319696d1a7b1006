/** How people look to operators. */
import { z } from "zod";
import { profilesOf } from "../../account/profile.ts";
import { emailsOf } from "../../auth/email/addresses.ts";
import { type AccountRow, accountStatuses } from "../../auth/for-operators.ts";
import type { Context } from "../../context.ts";
import { accountSources, sourcesOf } from "../../scim/source.ts";
import { operatorRoles } from "../operation.ts";
import { rolesOf } from "../operators.ts";

/** Milliseconds since 1970, as everywhere in Matrix. */
export const time = z.int().meta({ description: "Milliseconds since 1970." });

export const person = z.object({
  user_id: z.string(),
  display_name: z.string().nullable(),
  emails: z.array(z.string()).meta({ description: "Addresses that the person has proved, the oldest first." }),
  role: z.enum(operatorRoles).nullable().meta({ description: "As an operator; null for everybody else." }),
  status: z.enum(accountStatuses),
  source: z.enum(accountSources).meta({
    description:
      "Where the account comes from. scim: a directory; sso: a provider lets the person in, and there is no password; service: an application service.",
  }),
  devices: z.int().min(0).meta({ description: "How many are signed in." }),
  last_seen_ts: time.nullable().meta({ description: "Some minutes old at most; null where no device is signed in." }),
  created_ts: time,
});

export async function peopleOf(ctx: Context, accounts: readonly AccountRow[]): Promise<z.output<typeof person>[]> {
  const [profiles, roles, sources, emails] = await Promise.all([
    profilesOf(
      ctx,
      accounts.map(({ userId }) => userId),
    ),
    rolesOf(ctx, accounts),
    sourcesOf(ctx, accounts),
    emailsOf(
      ctx,
      accounts.map(({ userId }) => userId),
    ),
  ]);
  return accounts.map((account) => ({
    user_id: account.userId,
    display_name: profiles.get(account.userId)?.displayname ?? null,
    emails: emails.get(account.userId) ?? [],
    role: roles.get(account.userId) ?? null,
    status: account.status,
    source: sources.get(account.userId) ?? "local",
    devices: account.devices,
    last_seen_ts: account.lastSeen_ms,
    created_ts: account.created_ms,
  }));
}
