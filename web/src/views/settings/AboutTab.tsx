import { useCallback } from "react";
import { cryptoOf } from "../../models/crypto/setup.ts";
import { Section } from "./controls.tsx";
import { Facts } from "./Facts.tsx";
import { Loading } from "./Loading.tsx";
import type { ClientProps } from "./tabs.ts";
import { useLoaded } from "./useLoaded.ts";
import { version } from "../../../package.json";

export function AboutTab({ client }: ClientProps) {
  const server = useLoaded(useCallback(() => client.getVersions(), [client]));
  return (
    <>
      <Section title="Parley">
        <Facts
          facts={[
            ["Version", version],
            ["Encryption", cryptoOf(client).getVersion()],
            ["Licence", "Apache-2.0. IBM Plex Sans and JetBrains Mono: SIL Open Font License 1.1."],
          ]}
        />
      </Section>
      <Section title="Server">
        <Loading loaded={server}>
          {({ versions }) => (
            <Facts
              facts={[
                ["Address", client.baseUrl],
                ["Name", client.getDomain() ?? ""],
                ["Speaks Matrix", `${versions[0]} to ${versions.at(-1)}`],
              ]}
            />
          )}
        </Loading>
      </Section>
    </>
  );
}
