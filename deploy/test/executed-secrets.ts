/** What stands in for External Secrets in an executed release: the Secrets that its operator would write from a provider with these values. */
import type { KubernetesObject } from "./schema.ts";

interface ExternalSecretSpec {
  target: { name: string };
  data: { secretKey: string; remoteRef: { key: string; property?: string } }[];
}

/** The objects with each ExternalSecret replaced. Throws for what the provider has not, as `key` or `key#property`. */
export function withSecretsOf(
  provider: Readonly<Record<string, string>>,
  objects: readonly KubernetesObject[],
): KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== "ExternalSecret") return object;
    const { target, data } = object["spec"] as ExternalSecretSpec;
    const values = data.map(({ secretKey, remoteRef: { key, property } }) => {
      const path = property === undefined ? key : `${key}#${property}`;
      const value = provider[path];
      if (value === undefined) throw new Error(`${object.metadata.name} asks for ${path}, which the provider has not`);
      return [secretKey, value];
    });
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: target.name },
      stringData: Object.fromEntries(values) as Record<string, string>,
    };
  });
}
