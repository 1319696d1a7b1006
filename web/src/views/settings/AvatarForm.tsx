import type { MatrixClient } from "matrix-js-sdk";
import { useState } from "react";
import { FileTrigger } from "react-aria-components";
import { changeAvatar, type Profile, removeAvatar } from "../../models/session/account.ts";
import { type Failure, failureOf } from "../../models/session/failure.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Face } from "../room/Face.tsx";
import { squarePicture } from "./picture.ts";
import styles from "./ProfileTab.module.css";

const UNREADABLE: Failure = { text: "This browser cannot read that file as a picture. Use a JPEG, PNG or WebP." };

export function AvatarForm(props: { client: MatrixClient; profile: Profile; onChange: () => void }) {
  const { client, profile, onChange } = props;
  const { busy, failure, run } = useRun(onChange);
  const choose = (files: FileList | null) => {
    const file = files?.[0];
    if (!file) return;
    run(async () => {
      const picture = await squarePicture(file).catch(() => null);
      if (!picture) return UNREADABLE;
      await changeAvatar(client, picture);
      return null;
    });
  };
  const remove = () =>
    run(async () => {
      await removeAvatar(client);
      return null;
    });
  return (
    <>
      <div className={styles.picture}>
        <Face person={{ id: profile.userId, name: profile.name, avatarMxc: profile.avatarMxc }} size={64} />
        <div className={styles.actions}>
          <FileTrigger acceptedFileTypes={["image/*"]} onSelect={choose}>
            <Button busy={busy}>{profile.avatarMxc ? "Change picture" : "Add a picture"}</Button>
          </FileTrigger>
          {profile.avatarMxc && (
            <Button variant="quiet" isDisabled={busy} onPress={remove}>
              Remove
            </Button>
          )}
        </div>
      </div>
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </>
  );
}

/** Runs one action at a time; an action answers with its failure, or null. */
function useRun(onDone: () => void) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = (action: () => Promise<Failure | null>) => {
    setBusy(true);
    void action()
      .catch((error: unknown) => failureOf(error, "other"))
      .then((result) => {
        setFailure(result);
        setBusy(false);
        if (!result) onDone();
      });
  };
  return { busy, failure, run };
}
