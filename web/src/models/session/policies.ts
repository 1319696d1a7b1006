/** Policies that a server wants to be accepted. Section "Terms of service at registration" of the Client-Server API. */

export interface PolicyText {
  name: string;
  url: string;
}

export interface Policy {
  id: string;
  version: string;
  /** By language; there is at least one. */
  texts: Record<string, PolicyText>;
}

/** The versions that a person accepts, by policy. */
export type Accepted = Readonly<Record<string, string>>;

/**
 * The policies in the `params` of the stage m.login.terms.
 *
 * @throws when they are not what the specification says: a person can not accept what can not be shown.
 */
export function policiesOf(params: unknown): Policy[] {
  if (!isObject(params) || !isObject(params.policies)) throw new Error(BROKEN);
  return Object.entries(params.policies).map(([id, policy]) => {
    if (!isObject(policy) || typeof policy.version !== "string") throw new Error(BROKEN);
    const { version, ...given } = policy;
    const texts = Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, PolicyText] => isText(entry[1])),
    );
    if (Object.keys(texts).length === 0) throw new Error(BROKEN);
    return { id, version, texts };
  });
}

const BROKEN = "the policies of this server can not be shown. Tell its administrator.";

function isText(text: unknown): text is PolicyText {
  return (
    isObject(text) && typeof text.name === "string" && typeof text.url === "string" && /^https?:\/\//i.test(text.url)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function areAccepted(policies: readonly Policy[], accepted: Accepted): boolean {
  return policies.every(({ id, version }) => Object.hasOwn(accepted, id) && accepted[id] === version);
}

/** The text in the first of the person's languages that it is there in, else in English, else in any. */
export function textOf({ texts }: Policy, languages: readonly string[]): PolicyText & { language: string } {
  const there = Object.keys(texts);
  const language = [...languages, "en"].flatMap((wanted) => closest(there, wanted) ?? [])[0] ?? there[0] ?? "";
  return { ...(texts[language] as PolicyText), language };
}

function closest(there: readonly string[], wanted: string): string | undefined {
  const plain = (tag: string) => tag.toLowerCase().replaceAll("_", "-");
  const base = (tag: string) => plain(tag).split("-")[0];
  return (
    there.find((each) => plain(each) === plain(wanted)) ??
    there.find((each) => plain(each) === base(wanted)) ??
    there.find((each) => base(each) === base(wanted))
  );
}
