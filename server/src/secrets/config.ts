/** Where secrets come from, as the settings say it. */
import { type AzureIdentity } from "../cloud/azure-identity.ts";
import { readAzureIdentity } from "../cloud/config.ts";
import { type Env, integer, needed, oneOf, refuse, text, url } from "../settings/read.ts";
import { type Address, isReference } from "./address.ts";

export const providerNames = ["env", "files", "aws_sm", "azure_kv", "gcp_sm", "vault", "infisical"] as const;
export type ProviderName = (typeof providerNames)[number];

export interface SecretsConfig {
  /** What knows `secret://` names; undefined where nothing does. */
  provider: ProviderConfig | undefined;
  refresh_ms: number;
  /** Where the keys are that Parley's own keys in the database are wrapped with; undefined where they are not. */
  masterKeys: { provider: ProviderConfig; secretName: string } | undefined;
}

export type ProviderConfig =
  | { provider: "env"; variable(name: string): string | undefined }
  | { provider: "files"; folder: string }
  | { provider: "aws_sm"; region: string; endpoint: string | undefined }
  | { provider: "azure_kv"; url: string; identity: AzureIdentity }
  | { provider: "gcp_sm"; project: string; endpoint: string; keyFile: string | undefined }
  | {
      provider: "vault";
      url: string;
      namespace: string | undefined;
      mount: string;
      access: { token: Address } | { role: string; authPath: string; tokenFile: string };
    }
  | {
      provider: "infisical";
      url: string;
      projectId: string;
      environment: string;
      clientId: string;
      clientSecret: Address;
    };

/** Throws StartError on the first setting that is wrong. Those of providers that are not used are not looked at. */
export function readSecrets(env: Env): SecretsConfig {
  const name = oneOf(env, "SECRETS_PROVIDER", ["none", ...providerNames]);
  const refresh_ms = integer(env, "SECRETS_REFRESH_S", [1, 86_400]) * 1_000;
  const provider = name === "none" ? undefined : readProvider(env, name, `SECRETS_PROVIDER=${name}`);
  return { provider, refresh_ms, masterKeys: readMasterKeys(env, name) };
}

function readMasterKeys(env: Env, secretsProvider: ProviderName | "none"): SecretsConfig["masterKeys"] {
  const backend = oneOf(env, "AUTH_KEY_STORAGE_BACKEND", ["database", "secret-manager"]);
  if (backend === "database") return undefined;
  const own = env["AUTH_KEY_STORAGE_PROVIDER"] ? oneOf(env, "AUTH_KEY_STORAGE_PROVIDER", providerNames) : undefined;
  const name = own ?? secretsProvider;
  if (name === "none")
    refuse(
      "AUTH_KEY_STORAGE_BACKEND",
      backend,
      "set it to database, or say with SECRETS_PROVIDER or AUTH_KEY_STORAGE_PROVIDER where the keys are.",
    );
  const by = `AUTH_KEY_STORAGE_PROVIDER=${name}`;
  return { provider: readProvider(env, name, by), secretName: text(env, "AUTH_KEY_SECRET_NAME") };
}

function readProvider(env: Env, provider: ProviderName, by: string): ProviderConfig {
  switch (provider) {
    case "env":
      return { provider, variable: (name) => env[name] };
    case "files":
      return { provider, folder: text(env, "SECRETS_DIR") };
    case "aws_sm":
      return {
        provider,
        region: text(env, "AWS_SM_REGION") || env["AWS_REGION"] || "us-east-1",
        endpoint: address(env, "AWS_SM_ENDPOINT"),
      };
    case "azure_kv": {
      needed(env, "AZURE_KEY_VAULT_URL", { by, example: "https://parley.vault.azure.net" });
      const identity = readAzureIdentity(env);
      refuseReference(env, "AZURE_CLIENT_SECRET");
      return { provider, url: address(env, "AZURE_KEY_VAULT_URL") as string, identity };
    }
    case "gcp_sm":
      return {
        provider,
        project: needed(env, "GCP_PROJECT_ID", { by, example: "parley-prod" }),
        endpoint: address(env, "GCP_SM_ENDPOINT") ?? text(env, "GCP_SM_ENDPOINT"),
        keyFile: env["GOOGLE_APPLICATION_CREDENTIALS"] || undefined,
      };
    case "vault":
      return readVault(env, by);
    case "infisical":
      return {
        provider,
        url: address(env, "INFISICAL_URL") ?? text(env, "INFISICAL_URL"),
        projectId: needed(env, "INFISICAL_PROJECT_ID", { by, example: "the project's id" }),
        environment: text(env, "INFISICAL_ENVIRONMENT"),
        clientId: needed(env, "INFISICAL_CLIENT_ID", { by, example: "the machine identity's id" }),
        clientSecret: ownSecret(env, "INFISICAL_CLIENT_SECRET", by),
      };
  }
}

function readVault(env: Env, by: string): ProviderConfig {
  needed(env, "VAULT_ADDR", { by, example: "https://vault.example.org:8200" });
  const role = text(env, "VAULT_ROLE");
  return {
    provider: "vault",
    url: address(env, "VAULT_ADDR") as string,
    namespace: env["VAULT_NAMESPACE"] || undefined,
    mount: text(env, "VAULT_MOUNT"),
    access:
      role === ""
        ? { token: ownSecret(env, "VAULT_TOKEN", `${by} without VAULT_ROLE`) }
        : { role, authPath: text(env, "VAULT_AUTH_PATH"), tokenFile: text(env, "VAULT_KUBERNETES_TOKEN_FILE") },
  };
}

/** What opens the provider can not be in it. */
function ownSecret(env: Env, name: string, by: string): Address {
  refuseReference(env, name);
  return needed(env, name, { by, example: `file:///run/secrets/${name.toLowerCase().replaceAll("_", "-")}` });
}

function refuseReference(env: Env, name: string): void {
  const value = env[name];
  if (value && isReference(value)) refuse(name, value, "set it to a value or to file:// and a path.");
}

function address(env: Env, name: string): string | undefined {
  return url(env, name, ["http:", "https:"]);
}
