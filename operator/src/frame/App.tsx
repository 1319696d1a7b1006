import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { client } from "../model/queries.ts";
import { useSession } from "../session.ts";
import { router } from "../router.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { Failed } from "../parts/States.tsx";
import { SessionContext } from "./context.ts";
import { arrival } from "./pages.ts";
import { SignedIn } from "./SignedIn.tsx";
import { SignIn } from "./SignIn.tsx";
import styles from "./SignIn.module.css";

export function App() {
  return (
    <ErrorBoundary>
      <QueryClientProvider client={client}>
        <Door />
      </QueryClientProvider>
    </ErrorBoundary>
  );
}

/** The console for who is signed in, the sign-in page for everyone else. */
function Door() {
  const { data: session, error, refetch } = useSession();
  if (arrival()) return <SignedIn />;
  if (session)
    return (
      <SessionContext value={session}>
        <RouterProvider router={router} />
      </SessionContext>
    );
  if (session === null) return <SignIn />;
  if (error) return <main className={styles["page"]}>{<Failed error={error} onRetry={() => void refetch()} />}</main>;
  return null;
}
