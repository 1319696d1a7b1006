import type { MatrixClient } from "matrix-js-sdk";
import { useCallback, useState } from "react";
import {
  addAddress,
  askForAddress,
  loadAddresses,
  type MailProof,
  removeAddress,
  takesAddresses,
} from "../../models/session/email.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { toast } from "../../ui/Toast.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { Section } from "./controls.tsx";
import { Loading } from "./Loading.tsx";
import { useLoaded } from "./useLoaded.ts";
import styles from "./ProfileTab.module.css";

/** The addresses of the account. Where the server sends no mails there is nothing to see. */
export function EmailSection({ client }: { client: MatrixClient }) {
  const load = useCallback(
    async () => ({ takes: await takesAddresses(client), addresses: await loadAddresses(client) }),
    [client],
  );
  const loaded = useLoaded(load);
  if (loaded.value && !loaded.value.takes && loaded.value.addresses.length === 0) return null;
  return (
    <Section
      title="E-mail"
      intro="You sign in with an address too, and get a new password by mail if you forget yours."
    >
      <Loading loaded={loaded}>
        {({ takes, addresses }) => (
          <>
            {addresses.map((address) => (
              <Line key={address} client={client} address={address} onChange={loaded.reload} />
            ))}
            {takes && <AddForm client={client} onChange={loaded.reload} />}
          </>
        )}
      </Loading>
    </Section>
  );
}

interface Change {
  client: MatrixClient;
  onChange: () => void;
}

function Line({ client, address, onChange }: Change & { address: string }) {
  const { busy, failure, submit } = useSubmit("other", async () => {
    await removeAddress(client, address);
    toast(`${address} is removed`);
    onChange();
  });
  const button = (
    <Button size="compact" busy={busy} onPress={() => submit()} aria-label={`Remove ${address}`}>
      Remove
    </Button>
  );
  return (
    <>
      <Notice action={button}>{address}</Notice>
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </>
  );
}

function AddForm({ client, onChange }: Change) {
  const [email, setEmail] = useState("");
  const [proof, setProof] = useState<MailProof | null>(null);
  const { busy, failure, submit, clear } = useSubmit("resetPassword", async () => {
    if (!proof) return setProof(await askForAddress(client, email.trim()));
    await addAddress(client, proof);
    toast(`${email.trim()} is added`);
    setProof(null);
    setEmail("");
    onChange();
  });
  return (
    <form className={styles.narrow} onSubmit={submit}>
      <div className={styles.line}>
        <Field
          label="Another address"
          value={email}
          onChange={(value) => {
            clear();
            setProof(null);
            setEmail(value);
          }}
          type="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck="false"
          error={failure?.field === "email" && failure.text}
        />
        <Button type="submit" busy={busy} isDisabled={!email.includes("@")}>
          {proof ? "I have confirmed it" : "Send a mail"}
        </Button>
      </div>
      {proof && <Notice>A mail is on its way. Open the page in it and press the button there; then go on here.</Notice>}
      {failure && !failure.field && <Notice tone="danger">{failure.text}</Notice>}
    </form>
  );
}
