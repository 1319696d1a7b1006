/** AWS Secrets Manager, by the SDK: it finds who this is by itself (a web identity, a pod identity, the instance's role, variables). */
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import { CloudError } from "../cloud/ask.ts";
import { limits } from "../limits.ts";
import type { Provider } from "./secrets.ts";

export interface AwsOptions {
  region: string;
  /** undefined for Amazon's own. */
  endpoint: string | undefined;
}

export function awsProvider({ region, endpoint }: AwsOptions): Provider {
  const client = new SecretsManagerClient({
    region,
    maxAttempts: limits.cloudTries,
    requestHandler: { connectionTimeout: limits.blobsAway_ms, socketTimeout: limits.cloudAnswer_ms },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return {
    name: "AWS Secrets Manager",
    async read(SecretId) {
      try {
        const { SecretString, SecretBinary } = await client.send(new GetSecretValueCommand({ SecretId }));
        return SecretString ?? (SecretBinary && Buffer.from(SecretBinary).toString("utf8"));
      } catch (thrown) {
        const { name, message, $metadata } = thrown as SecretsManagerServiceException;
        if (name === "ResourceNotFoundException") return undefined;
        throw new CloudError(`AWS answered ${name}: ${message}`, { status: $metadata?.httpStatusCode, cause: thrown });
      }
    },
    close: () => client.destroy(),
  };
}
