/** Who this process is to Azure, as the settings say it: those that Azure's own webhook for pods sets, and a client secret. */
import { type Env, secret, text, url } from "../settings/read.ts";
import type { AzureIdentity } from "./azure-identity.ts";

export function readAzureIdentity(env: Env): AzureIdentity {
  return {
    tenantId: env["AZURE_TENANT_ID"] || undefined,
    clientId: env["AZURE_CLIENT_ID"] || undefined,
    clientSecret: secret(env, "AZURE_CLIENT_SECRET"),
    federatedTokenFile: env["AZURE_FEDERATED_TOKEN_FILE"] || undefined,
    authorityHost: url(env, "AZURE_AUTHORITY_HOST", ["http:", "https:"]) ?? text(env, "AZURE_AUTHORITY_HOST"),
    metadataHost: "http://169.254.169.254",
  };
}
