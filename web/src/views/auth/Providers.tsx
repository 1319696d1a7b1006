import { useEffect, useState } from "react";
import { listProviders, type Provider } from "../../models/session/api.ts";
import { baseUrl, signInByProvider } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import styles from "./form.module.css";

/** A button for each provider by whom people sign in. Where the server does not say there is nothing: the password is there. */
export function Providers() {
  const [providers, setProviders] = useState<readonly Provider[]>([]);
  const [left, setLeft] = useState<string | null>(null);
  useEffect(() => {
    const ending = new AbortController();
    listProviders(baseUrl, ending.signal).then(setProviders, () => {});
    return () => ending.abort();
  }, []);
  if (providers.length === 0) return null;
  const leave = (id: string) => {
    setLeft(id);
    signInByProvider(id);
  };
  return (
    <div className={styles.form}>
      <p className={styles.quiet}>or</p>
      {providers.map(({ id, name }) => (
        <Button key={id} size="large" wide busy={left === id} onPress={() => leave(id)}>
          Continue with {name}
        </Button>
      ))}
    </div>
  );
}
