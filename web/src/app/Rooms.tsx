import type { MatrixClient } from "matrix-js-sdk";
import { useEffect, useState } from "react";
import { Route, Switch } from "wouter";
import { openMessenger } from "../models/client/messenger.ts";
import { SettingsPage } from "../views/settings/SettingsPage.tsx";
import { Shell } from "./Shell.tsx";

type Open = ReturnType<typeof openMessenger>;

/** The rooms of a session that is ready. */
export function Rooms({ client }: { client: MatrixClient }) {
  const [messenger, setMessenger] = useState<Open | null>(null);
  useEffect(() => {
    const opened = openMessenger(client);
    setMessenger(opened);
    return () => opened.stop();
  }, [client]);
  if (!messenger) return null;
  return (
    <Switch>
      <Route path="/settings/:tab?">
        <SettingsPage />
      </Route>
      <Route>
        <Shell messenger={messenger} />
      </Route>
    </Switch>
  );
}
