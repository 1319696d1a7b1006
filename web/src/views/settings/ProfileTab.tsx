import type { MatrixClient } from "matrix-js-sdk";
import { useCallback, useState } from "react";
import { changeName, loadProfile, type Profile } from "../../models/session/account.ts";
import { signOut } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { toast } from "../../ui/Toast.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { AvatarForm } from "./AvatarForm.tsx";
import { Section } from "./controls.tsx";
import { DeactivateForm } from "./DeactivateForm.tsx";
import { EmailSection } from "./EmailForm.tsx";
import { ExportForm } from "./ExportForm.tsx";
import { Loading } from "./Loading.tsx";
import { PasswordForm } from "./PasswordForm.tsx";
import { PrivacySection } from "./PrivacySection.tsx";
import { SignOutButton } from "./SignOutButton.tsx";
import type { ClientProps } from "./tabs.ts";
import { useLoaded } from "./useLoaded.ts";
import styles from "./ProfileTab.module.css";

export function ProfileTab({ client }: ClientProps) {
  const profile = useLoaded(useCallback(() => loadProfile(client), [client]));
  return (
    <>
      <Loading loaded={profile}>
        {(value) => (
          <Section title="How others see you" intro={value.userId}>
            <AvatarForm client={client} profile={value} onChange={profile.reload} />
            <NameForm client={client} profile={value} onChange={profile.reload} />
          </Section>
        )}
      </Loading>
      <EmailSection client={client} />
      <Section title="Password">
        <PasswordForm client={client} />
      </Section>
      <PrivacySection client={client} />
      <Section title="This session">
        <SignOutButton onSignOut={signOut} />
      </Section>
      <Section
        title="Your data"
        intro="Everything that this server has of you, as one archive. It takes a while; then it can be fetched for seven days."
      >
        <ExportForm client={client} />
      </Section>
      <Section
        title="Deactivate the account"
        intro="Your account ends for good: you leave every room, nobody can use the name again, and it cannot be undone. Messages that you have sent stay with those who received them."
      >
        <DeactivateForm client={client} />
      </Section>
    </>
  );
}

function NameForm({ client, profile, onChange }: { client: MatrixClient; profile: Profile; onChange: () => void }) {
  const [name, setName] = useState(profile.name);
  const { busy, failure, submit } = useSubmit("other", async () => {
    await changeName(client, name.trim());
    toast("Your name is saved");
    onChange();
  });
  return (
    <form className={styles.line} onSubmit={submit}>
      <Field
        label="Display name"
        value={name}
        onChange={setName}
        maxLength={100}
        autoComplete="name"
        error={failure?.text}
      />
      <Button type="submit" busy={busy} isDisabled={name.trim() === "" || name.trim() === profile.name}>
        Save
      </Button>
    </form>
  );
}
