import { useEffect, useState } from "react";
import { Notice } from "../../../web/src/ui/Notice.tsx";
import { Loading } from "../parts/States.tsx";
import { signInFromPages } from "../session.ts";
import { arrival, goOn, tellWaiting } from "./pages.ts";
import { SignIn } from "./SignIn.tsx";
import styles from "./SignIn.module.css";

/** Where the server's sign-in pages lead back to. */
export function SignedIn() {
  return arrival() === "confirm" ? <Told /> : <TakeOver />;
}

/** The window in which somebody has shown who they are; the one that asked goes on. */
function Told() {
  useEffect(tellWaiting, []);
  return (
    <main className={styles["page"]}>
      <title>Signed in · Parley console</title>
      <div className={styles["form"]}>
        <h1 className={styles["title"]}>Thank you</h1>
        <Notice tone="ok">The console goes on in its own window. You can close this one.</Notice>
      </div>
    </main>
  );
}

let begun: Promise<void> | undefined;

function TakeOver() {
  const [refusal, setRefusal] = useState<unknown>(null);
  useEffect(() => {
    // Once, however often this is mounted.
    begun ??= signInFromPages(goOn);
    begun.catch(setRefusal);
  }, []);
  return refusal !== null ? (
    <SignIn refused={refusal} goOn={goOn} />
  ) : (
    <main className={styles["page"]}>
      <Loading />
    </main>
  );
}
