import { Field, type FieldProps } from "../../../../web/src/ui/Field.tsx";
import { Copied } from "../../parts/Copied.tsx";
import { Choice } from "../imports/importing.tsx";
import { type DraftFields, idFault, issuerFault } from "./drafting.ts";
import type { Providers } from "./shapes.ts";
import styles from "./Settings.module.css";

interface Part {
  fields: DraftFields;
  onChange: (changed: Partial<DraftFields>) => void;
}

/** What identifies the provider: by itself, for people, and in addresses. */
export function ProviderFields({ fields, others, onChange }: Part & { others: readonly string[] }) {
  return (
    <>
      <One
        {...{ fields, onChange }}
        name="name"
        label="Name"
        hint="On the button: Continue with …"
        autoFocus
        maxLength={80}
      />
      <One
        {...{ fields, onChange }}
        name="id"
        label="Id"
        hint="It stands in the addresses that the provider is told, and can not change without them."
        error={idFault(fields.id, others)}
        mono
      />
      <One
        {...{ fields, onChange }}
        name="issuer"
        label="Issuer"
        hint="Exactly as the provider writes it: without /.well-known/openid-configuration, and with a slash at the end only where it has one."
        placeholder="https://sso.example.org/realms/main"
        error={issuerFault(fields.issuer)}
        type="url"
        mono
      />
    </>
  );
}

/** Registering this server there, and what comes of it. */
export function ClientFields({ fields, addresses, onChange }: Part & { addresses: Providers["new"] }) {
  const at = (address: string) => address.replace("{id}", fields.id);
  return (
    <>
      <p>
        Register this server there as a confidential web client with the code flow, and PKCE with S256 where it asks. It
        wants to know:
      </p>
      <Copied label="Redirect URI" text={at(addresses.redirect_uri)} />
      <Copied label="Back-channel logout URI" text={at(addresses.logout_uri)} />
      <div className={styles["columns"]}>
        <One {...{ fields, onChange }} name="client_id" label="Client id" autoFocus mono />
        <One
          {...{ fields, onChange }}
          name="client_secret"
          label="Client secret (optional)"
          hint="Given to the provider for the test, and kept nowhere. Empty: a public client."
          type="password"
          autoComplete="new-password"
        />
      </div>
      <Mapping {...{ fields, onChange }} />
      <Choice
        label="Who comes for the first time"
        value={fields.new_accounts}
        options={[
          { value: "yes", label: "Gets an account, whatever is set for registering" },
          { value: "no", label: "Gets none: only who has an account already comes in" },
        ]}
        onChange={(new_accounts) => onChange({ new_accounts })}
      />
      <One
        {...{ fields, onChange }}
        name="email_domains"
        label="Only people with an address at (optional)"
        hint="Domains, with commas between. Empty: everybody whom the provider lets in."
        placeholder="example.org"
      />
    </>
  );
}

/** Which claims are what. Most providers have these names for them. */
function Mapping({ fields, onChange }: Part) {
  const claims = [
    { name: "localpart", label: "Claim with the user name", byDefault: "preferred_username" },
    { name: "display_name", label: "Claim with the name", byDefault: "name" },
    { name: "email", label: "Claim with the e-mail address", byDefault: "email" },
  ] as const;
  return (
    <details className={styles["more"]}>
      <summary>Claims and hosts, where they are not the usual ones</summary>
      <div className={styles["columns"]}>
        {claims.map(({ name, label, byDefault }) => (
          <One
            key={name}
            {...{ fields, onChange, name }}
            label={`${label} (optional)`}
            hint={`Empty: ${byDefault}`}
            placeholder={byDefault}
            mono
          />
        ))}
        <One
          {...{ fields, onChange }}
          name="hosts"
          label="Other hosts of the provider (optional)"
          hint="Inside your network, where its endpoints are not at the issuer's."
          placeholder="10.1.0.0/16"
          mono
        />
      </div>
    </details>
  );
}

type OneProps = Part & Omit<FieldProps, "value" | "onChange"> & { name: keyof DraftFields };

function One({ fields, onChange, name, ...rest }: OneProps) {
  return (
    <Field
      autoCapitalize="none"
      autoComplete="off"
      {...rest}
      value={fields[name]}
      onChange={(value) => onChange({ [name]: value })}
    />
  );
}
