import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { registerThroughBrowser } from "../../models/session/session.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { Page } from "./Page.tsx";
import { RegisterForm } from "./RegisterForm.tsx";
import { useDoor } from "./useDoor.ts";

/** Makes an account: with the token of a link (`/register?token=…`), or freely where the server is open. */
export function Register() {
  const [search] = useSearchParams();
  const token = search.get("token");
  return (
    <Page
      title="Create an account"
      intro={`on ${location.host}`}
      footer={
        <>
          Have an account already? <Link href="/login">Sign in</Link>
        </>
      }
    >
      <Door token={token} />
    </Page>
  );
}

function Door({ token }: { token: string | null }) {
  const { door, retry } = useDoor(token);
  const [anyway, setAnyway] = useState(false);
  if (door.state === "asking") return <Spinner label="Asking the server…" />;
  if (door.state === "failed") {
    return (
      <Notice
        tone="danger"
        action={
          <Button size="compact" onPress={retry}>
            Try again
          </Button>
        }
      >
        {door.text}
      </Notice>
    );
  }
  const { policies } = door;
  if (door.linkValid === false && !anyway)
    return <DeadLink open={door.door === "open" || door.door === "page"} onGoOn={() => setAnyway(true)} />;
  if (door.linkValid) return <RegisterForm token={token} policies={policies} needsToken={false} note={ONE_TIME_LINK} />;
  if (door.door === "open") return <RegisterForm token={null} policies={policies} needsToken={false} />;
  if (door.door === "token") return <RegisterForm token={null} policies={policies} needsToken />;
  if (door.door === "page") return <OnOwnPage />;
  return (
    <Notice title="This server does not take new accounts here">
      Ask its administrator for an account or for a registration link.
    </Notice>
  );
}

/** What the server asks for needs a page of its own: the browser leaves, and comes back with the account. */
function OnOwnPage() {
  const [left, setLeft] = useState(false);
  const leave = () => {
    setLeft(true);
    registerThroughBrowser();
  };
  return (
    <>
      <p>
        This server makes accounts on a page of its own, where you show that you are no robot. Then you come back here.
      </p>
      <Button variant="primary" size="large" wide busy={left} onPress={leave}>
        Go to the page
      </Button>
    </>
  );
}

const ONE_TIME_LINK = "Your link is valid. It works once.";

function DeadLink({ open, onGoOn }: { open: boolean; onGoOn: () => void }) {
  return (
    <>
      <Notice tone="warn" title="This link has been used or has expired">
        {open ? "This server also takes accounts without a link." : "Ask the administrator for a new one."}
      </Notice>
      {open && (
        <div>
          <Button variant="primary" onPress={onGoOn}>
            Go on without it
          </Button>
        </div>
      )}
    </>
  );
}
