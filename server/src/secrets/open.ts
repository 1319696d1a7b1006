/** The one place that chooses the provider of secrets. What a provider needs is loaded only where it is wanted. */
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import type { ProviderConfig } from "./config.ts";
import { openSecretsOf, type Provider, type Secrets } from "./secrets.ts";

export interface OpenSecretsOptions {
  provider: ProviderConfig;
  refresh_ms: number;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Asks nothing yet. */
export async function openSecrets(options: OpenSecretsOptions): Promise<Secrets> {
  return openSecretsOf({ ...options, provider: await openProvider(options.provider, options.seams) });
}

async function openProvider(config: ProviderConfig, seams: Seams): Promise<Provider> {
  switch (config.provider) {
    case "env":
      return (await import("./env.ts")).envProvider(config.variable);
    case "files":
      return (await import("./files.ts")).filesProvider(config.folder);
    case "aws_sm":
      return (await import("./aws.ts")).awsProvider(config);
    case "azure_kv": {
      const { azureTokens } = await import("../cloud/azure-identity.ts");
      const tokens = azureTokens(config.identity, seams);
      return (await import("./azure.ts")).keyVaultProvider({ ...config, tokens, seams });
    }
    case "gcp_sm": {
      const { googleTokens } = await import("../cloud/google-identity.ts");
      const token = googleTokens(config.keyFile);
      return (await import("./gcp.ts")).secretManagerProvider({ ...config, token, seams });
    }
    case "vault":
      return (await import("./vault.ts")).vaultProvider({ ...config, seams });
    case "infisical":
      return (await import("./infisical.ts")).infisicalProvider({ ...config, seams });
  }
}
