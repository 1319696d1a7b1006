/** Where secrets come from, as the settings say it. */
import { type Env, oneOf } from "../settings/read.ts";

export const providerNames = ["none", "env", "files", "aws_sm", "azure_kv", "gcp_sm", "vault", "infisical"] as const;

export function readSecrets(env: Env) {
  return { provider: oneOf(env, "SECRETS_PROVIDER", providerNames) };
}
