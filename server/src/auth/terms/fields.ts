/** The checkboxes of the pages on which somebody accepts policies. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { Request } from "../../http.ts";
import type { Form } from "../oauth/forms.ts";
import { type Html, html } from "../oauth/pages/page.ts";
import type { Policy } from "./config.ts";
import { inLanguage, readLanguages, type Versions, versionsOf } from "./policies.ts";

export interface Reader {
  headers: Request<unknown, unknown, undefined>["headers"];
  /** What was sent, where the form is shown again. */
  sent?: Form | undefined;
}

/** One for each policy, with a link to it in a language of whoever reads; nothing where there is none. */
export function policyFields({ config }: Pick<Context, "config">, { headers, sent }: Reader): Html[] {
  const languages = readLanguages(headers["accept-language"]);
  return config.terms.map((policy) => {
    const { name, url, language } = inLanguage(policy, languages);
    const isTicked = sent !== undefined && isAccepted(policy, sent);
    return html`<label class="check"
      ><input
        type="checkbox"
        name="${fieldOf(policy)}"
        value="${policy.version}"
        required
        ${isTicked ? html`checked` : undefined}
      />
      <span
        >I have read and accept
        <a href="${url}" hreflang="${language}" target="_blank" rel="noopener noreferrer">${name}</a></span
      ></label
    >`;
  });
}

/** What the form accepts: all there is. Throws M_INVALID_PARAM where something is missing, or was shown in another version. */
export function acceptedIn(ctx: Pick<Context, "config">, { headers, sent }: Required<Reader>): Versions {
  const missing = ctx.config.terms.filter((policy) => !sent || !isAccepted(policy, sent));
  if (missing.length === 0) return versionsOf(ctx);
  const names = missing.map((policy) => inLanguage(policy, readLanguages(headers["accept-language"])).name);
  throw matrixError(
    "M_INVALID_PARAM",
    `An account needs your word that you accept ${names.join(", ")}. Read it, and tick the box beside it.`,
  );
}

function fieldOf({ id }: Policy): string {
  return `policy ${id}`;
}

/** The value says which version was on the page: it may have changed since. */
function isAccepted(policy: Policy, sent: Form): boolean {
  return sent(fieldOf(policy)) === policy.version;
}
