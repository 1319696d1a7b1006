import { lazy, Suspense } from "react";
import { clearReach } from "../models/client/reachStorage.ts";
import { clearDrafts } from "../models/composer/storage.ts";
import { forgetRoom } from "../models/routes.ts";
import { useSession } from "../models/session/session.ts";
import { SessionGate } from "../views/auth/SessionGate.tsx";
import { StartScreen } from "../views/auth/StateScreens.tsx";

// The rooms stand on the SDK, which the sign-in screen must not wait for.
const Rooms = lazy(async () => ({ default: (await import("./Rooms.tsx")).Rooms }));

// What was typed on this device, and where one was, goes when the session ends.
useSession.subscribe(({ phase }) => {
  if (phase === "signedOut") {
    clearDrafts();
    clearReach();
    forgetRoom();
  }
});

/** The messenger: the door while nobody is signed in, the rooms after that. */
export function App() {
  return (
    <SessionGate>
      <Suspense fallback={<StartScreen step="restoring" />}>
        <ReadyRooms />
      </Suspense>
    </SessionGate>
  );
}

function ReadyRooms() {
  const state = useSession();
  return state.phase === "ready" ? <Rooms key={state.client.getDeviceId()} client={state.client} /> : null;
}
