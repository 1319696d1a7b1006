import { call, pathOf } from "../../api.ts";
import type { Act } from "../../parts/acts.ts";
import { Copied } from "../../parts/Copied.tsx";
import { count } from "../../parts/words.ts";
import type { MadeToken, RegistrationToken } from "./shapes.ts";

const DAY_S = 86_400;

/** An invitation to this server: a link that is shown once. */
export function makeToken(): Act<MadeToken> {
  return {
    title: "Invite somebody",
    consequence: "Whoever has the link can make an account. It is shown once, and kept nowhere.",
    label: "Make the link",
    fields: [
      { name: "note", label: "Whom it is for", isOptional: true, hint: "Shown to operators alone." },
      { name: "uses", label: "How many accounts", kind: "number", initial: "1" },
      { name: "days", label: "Valid for how many days", kind: "number", initial: "7" },
    ],
    run: ({ note = "", uses, days }) =>
      call("/registration-tokens", {
        method: "POST",
        body: {
          uses_allowed: Number(uses),
          expires_in_s: Math.round(Number(days) * DAY_S),
          ...(note.trim() ? { note: note.trim() } : {}),
        },
      }),
    shows: ({ token, link, uses_allowed }) => (
      <>
        <p>For {count(uses_allowed, "account")}. Give it to nobody else.</p>
        <Copied label="Link" text={link} />
        <Copied label="Token" text={token} />
      </>
    ),
  };
}

export function revokeTokens(tokens: readonly RegistrationToken[]): Act {
  const what = tokens.length === 1 ? `the token ${tokens[0]?.token_id}` : count(tokens.length, "token");
  const used = tokens.reduce((sum, { uses }) => sum + uses, 0);
  return {
    title: `Revoke ${what}?`,
    consequence: `Nobody can register with it any more. ${count(used, "account")} made with it ${used === 1 ? "stays" : "stay"}.`,
    label: "Revoke",
    isDangerous: true,
    asksReason: true,
    async run({ reason }) {
      for (const { token_id } of tokens)
        await call(pathOf`/registration-tokens/${token_id}/revoke`, { method: "POST", body: { reason } });
    },
    done: `Revoked ${what}.`,
  };
}
