import type { MatrixClient } from "matrix-js-sdk";
import { lazy, Suspense, useEffect, useState } from "react";
import { Route, Switch } from "wouter";
import { openMessenger } from "../models/client/messenger.ts";
import { openUnsentOf } from "../models/session/client.ts";
import { Toasts } from "../ui/Toast.tsx";
import { MessengerContext } from "./context.ts";
import { Shell } from "./Shell.tsx";

const SettingsPage = lazy(async () => ({ default: (await import("../views/settings/SettingsPage.tsx")).SettingsPage }));

type Open = ReturnType<typeof openMessenger>;

/** The rooms of a session that is ready. */
export function Rooms({ client }: { client: MatrixClient }) {
  const [messenger, setMessenger] = useState<Open | null>(null);
  useEffect(() => {
    const opened = openMessenger(client, openUnsentOf(client));
    // oxlint-disable-next-line react/set-state-in-effect -- what listens to the client is made and let go by the same effect
    setMessenger(opened);
    return () => opened.stop();
  }, [client]);
  if (!messenger) return null;
  return (
    <Switch>
      <Route path="/settings/:tab?">
        <MessengerContext value={messenger}>
          <Suspense>
            <SettingsPage />
          </Suspense>
          <Toasts />
        </MessengerContext>
      </Route>
      <Route>
        <Shell messenger={messenger} />
      </Route>
    </Switch>
  );
}
