import { call, pathOf } from "../../api.ts";
import type { Act, ActField } from "../../parts/acts.ts";
import { Copied } from "../../parts/Copied.tsx";
import type { DirectoryToken, MadeDirectoryToken, Provisioning } from "./shapes.ts";

/** The choice of nobody. */
const NO_PROVIDER = "";

function providerField(providers: Provisioning["providers"]): ActField[] {
  if (providers.length === 0) return [];
  return [
    {
      name: "provider",
      label: "People sign in by",
      initial: NO_PROVIDER,
      isOptional: true,
      options: [
        { value: NO_PROVIDER, label: "Whatever they have" },
        ...providers.map(({ id, name }) => ({
          value: id,
          label: name,
          hint: "Where the directory's externalId is the subject that this provider has for the person.",
        })),
      ],
    },
  ];
}

/** A token with which a directory makes, changes and ends accounts; it is shown once. */
export function connectDirectory(providers: Provisioning["providers"]): Act<MadeDirectoryToken> {
  return {
    title: "Connect a directory",
    consequence:
      "Whoever has the token makes, changes and ends accounts, and takes over those that are there, but for operators' own. It is shown once, and kept nowhere.",
    label: "Make the token",
    fields: [
      { name: "name", label: "Name", hint: "Such as Okta. In the audit log the directory is scim: and this." },
      ...providerField(providers),
    ],
    run: ({ name = "", provider = NO_PROVIDER }) =>
      call("/provisioning/tokens", {
        method: "POST",
        body: { name: name.trim(), ...(provider === NO_PROVIDER ? {} : { provider }) },
      }),
    shows: ({ address, token }) => (
      <>
        <p>Give both to the directory, and to nobody else.</p>
        <Copied label="Address" text={address} />
        <Copied label="Token" text={token} />
      </>
    ),
  };
}

export function revokeDirectory({ token_id, name }: DirectoryToken): Act {
  return {
    title: `Revoke the token of ${name}?`,
    consequence: "The directory changes nothing any more from now on. Accounts stay as they are.",
    label: "Revoke",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => call(pathOf`/provisioning/tokens/${token_id}/revoke`, { method: "POST", body: { reason } }),
    done: `Revoked the token of ${name}.`,
  };
}
