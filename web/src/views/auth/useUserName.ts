import { useEffect, useState } from "react";
import { checkUserName } from "../../models/session/api.ts";
import { failureOf } from "../../models/session/failure.ts";
import { baseUrl } from "../../models/session/session.ts";

/** How long a person must have stopped typing before the server is asked. */
const PAUSE_MS = 350;

export type NameState = { state: "unknown" | "free" } | { state: "refused"; text: string };

/** Whether a user name can be had, asked of the server while it is typed. */
export function useUserName(userName: string): NameState {
  const [answer, setAnswer] = useState<{ for: string; result: NameState }>({ for: "", result: { state: "unknown" } });
  useEffect(() => {
    if (userName === "") return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      checkUserName(baseUrl, userName, stop.signal).then(
        () => setAnswer({ for: userName, result: { state: "free" } }),
        (error: unknown) => {
          const failure = failureOf(error, "register");
          // Only a refusal of the name itself counts; anything else shows when the form is sent.
          if (failure.field === "userName")
            setAnswer({ for: userName, result: { state: "refused", text: failure.text } });
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [userName]);
  return answer.for === userName ? answer.result : { state: "unknown" };
}
