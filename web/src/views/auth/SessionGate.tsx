import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { Redirect, useLocation } from "wouter";
import { keepDestination, takeDestination } from "../../models/session/destination.ts";
import { restore, useSession } from "../../models/session/session.ts";
import type { SessionState } from "../../models/session/state.ts";
import { applyAppearance } from "../settings/appearance.ts";
import { Forgot } from "./Forgot.tsx";
import { Register } from "./Register.tsx";
import { SignIn } from "./SignIn.tsx";
import { ElsewhereScreen, FailedScreen, SignInAgain, StartScreen } from "./StateScreens.tsx";

// These stand on the SDK, which the sign-in screen must not wait for.
const SetupRecovery = lazy(async () => ({ default: (await import("../recovery/SetupRecovery.tsx")).SetupRecovery }));
const UnlockHistory = lazy(async () => ({ default: (await import("../recovery/UnlockHistory.tsx")).UnlockHistory }));
const VerificationLayer = lazy(async () => ({
  default: (await import("../verification/VerificationLayer.tsx")).VerificationLayer,
}));
const PasswordPrompt = lazy(async () => ({ default: (await import("./PasswordPrompt.tsx")).PasswordPrompt }));

/** Shows the rooms (`children`) in a ready session, and in every other state the screen that belongs to it. */
export function SessionGate({ children }: { children: ReactNode }) {
  const state = useSession();
  const [path] = useLocation();
  useDestination(state);
  useEffect(() => {
    applyAppearance();
    restore();
  }, []);
  return (
    <Suspense fallback={<StartScreen step="restoring" />}>
      {screenOf(state, path, children)}
      {(state.phase === "setup" || state.phase === "ready") && (
        <Suspense>
          <VerificationLayer />
          <PasswordPrompt />
        </Suspense>
      )}
    </Suspense>
  );
}

/** Whoever came by a link to a room gets there when the door is behind them, whichever way led through it. */
function useDestination(state: SessionState): void {
  const [, navigate] = useLocation();
  const { phase } = state;
  // Where a session ended is the place of whoever had it: another person may sign in next.
  const isNew = state.phase === "signedOut" && state.reason === undefined;
  useEffect(() => {
    if (isNew) keepDestination(location.pathname);
    const destination = phase === "ready" ? takeDestination() : null;
    if (destination) navigate(destination, { replace: true });
  }, [isNew, phase, navigate]);
}

function screenOf(state: SessionState, path: string, children: ReactNode): ReactNode {
  switch (state.phase) {
    case "starting":
      return <StartScreen step={state.step} />;
    case "elsewhere":
      return <ElsewhereScreen />;
    case "signedOut":
      if (path === "/register") return <Register />;
      if (path === "/forgot") return <Forgot />;
      return <SignIn {...(state.reason && { reason: state.reason })} lost={state.lost ?? 0} />;
    case "setup":
      return state.need === "create" ? <SetupRecovery /> : <UnlockHistory />;
    case "softLoggedOut":
      return <SignInAgain userId={state.userId} />;
    case "failed":
      return <FailedScreen error={state.error} unsupported={state.unsupported} />;
    case "ready":
      return readyScreen(path, children);
  }
}

function readyScreen(path: string, children: ReactNode): ReactNode {
  if (path === "/login" || path === "/register" || path === "/forgot") return <Redirect to="/" replace />;
  if (path === "/setup") return <SetupRecovery />;
  if (path === "/recover") return <UnlockHistory />;
  return children;
}
