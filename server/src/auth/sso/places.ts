/**
 * What has to be written where, so that people sign in by a provider that was tried: PARLEY_SSO_PROVIDERS, for one machine and for the two
 * ways in which secrets come into a cluster. The client's secret is in none of it: each place says where it is kept.
 */
import { type Draft, SSO_PROVIDERS, writtenOf } from "./config.ts";

/** Stands for the secret in what belongs into a store of secrets, where whoever has it writes it. */
export const SECRET_PLACE = "THE CLIENT SECRET";

/** Where a store of secrets has the list, and where a secret alone; as examples, which may be changed. */
const LIST_KEY = "parley/sso-providers";

export interface Places {
  /** For a file of variables: the whole line, or the entry where the list has others. */
  env: string;
  /** The file that `env` names. */
  secret_file: string | null;
  helm_values: string;
  /** What the store has under the name that `helm_values` says. */
  stored: string;
  external_secret: string;
}

/** `isFirst`: whether there is no provider yet. Otherwise it is the entry alone, since the secrets of the others are told to nobody. */
export function placesOf(draft: Draft, { isFirst }: { isFirst: boolean }): Places {
  const hasSecret = draft.client_secret !== undefined;
  const file = `/run/secrets/parley-sso-${draft.id}`;
  // It stands between such quotes, in a file of variables as in YAML, also where it comes into a list that is there; JSON can write them otherwise.
  const entry = (client_secret: string) =>
    JSON.stringify({ ...writtenOf(draft), ...(hasSecret && { client_secret }) }).replaceAll("'", "\\u0027");
  const listed = (text: string) => (isFirst ? `[${text}]` : text);
  const env = listed(entry(`file://${file}`));
  return {
    env: isFirst ? `${SSO_PROVIDERS}='${env}'` : env,
    secret_file: hasSecret ? file : null,
    helm_values: `externalSecrets:\n  api:\n    data:\n      ${SSO_PROVIDERS}: ${LIST_KEY}\n`,
    stored: listed(entry(SECRET_PLACE)),
    external_secret: externalSecretOf(draft, { text: listed(templateOf(draft, entry)), isFirst }),
  };
}

const keyOf = ({ id }: Draft) => `sso-${id.replaceAll("~", "-")}`;

/** The entry as a template of External Secrets, in which nothing else is taken for a part of one. */
function templateOf(draft: Draft, entry: (secret: string) => string): string {
  return entry(SECRET_PLACE)
    .replaceAll("{{", "{\\u007b")
    .replace(
      `"client_secret":${JSON.stringify(SECRET_PLACE)}`,
      () => `"client_secret":{{ index . "${keyOf(draft)}" | toJson }}`,
    );
}

/** For a Secret of one's own, as `api.secretName` of the chart names one. Of a list that is there already what comes into it. */
function externalSecretOf(draft: Draft, { text, isFirst }: { text: string; isFirst: boolean }): string {
  const data =
    draft.client_secret === undefined
      ? []
      : [`    - secretKey: ${keyOf(draft)}`, "      remoteRef:", `        key: parley/${keyOf(draft)}`];
  if (!isFirst)
    return ["# Into the list in spec.target.template.data:", text, ...dataUnder("# Into spec.data:", data)].join("\n");
  return [
    "apiVersion: external-secrets.io/v1",
    "kind: ExternalSecret",
    "metadata:",
    "  name: parley-sso",
    "spec:",
    "  secretStoreRef:",
    "    name: platform-secrets",
    "    kind: ClusterSecretStore",
    "  target:",
    "    # That of api.secretName, with the key among api.secretKeys.",
    "    name: parley-secrets",
    "    creationPolicy: Merge",
    "    template:",
    "      data:",
    `        ${SSO_PROVIDERS}: '${text}'`,
    ...dataUnder("  data:", data),
    "",
  ].join("\n");
}

function dataUnder(title: string, data: readonly string[]): string[] {
  return data.length === 0 ? [] : [title, ...data];
}
