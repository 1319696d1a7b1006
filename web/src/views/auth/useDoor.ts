import { useCallback, useEffect, useState } from "react";
import { isTokenValid } from "../../models/session/api.ts";
import { failureOf } from "../../models/session/failure.ts";
import { type AtTheDoor, registrationDoor } from "../../models/session/registration.ts";
import { baseUrl } from "../../models/session/session.ts";

export type Door =
  | { state: "asking" }
  | { state: "failed"; text: string }
  /** `linkValid` is null when the person came without a link. */
  | ({ state: "known"; linkValid: boolean | null } & AtTheDoor);

/** How this server takes new accounts, and whether the link that the person came with still holds. */
export function useDoor(token: string | null): { door: Door; retry: () => void } {
  const [door, setDoor] = useState<Door>({ state: "asking" });
  const ask = useCallback(async (): Promise<Door> => {
    try {
      const [atTheDoor, linkValid] = await Promise.all([
        registrationDoor(baseUrl),
        token === null ? null : isTokenValid(baseUrl, token),
      ]);
      return { state: "known", ...atTheDoor, linkValid };
    } catch (error) {
      return { state: "failed", text: failureOf(error, "register").text };
    }
  }, [token]);
  useEffect(() => {
    let current = true;
    void ask().then((answer) => current && setDoor(answer));
    return () => {
      current = false;
    };
  }, [ask]);
  const retry = () => {
    setDoor({ state: "asking" });
    void ask().then(setDoor);
  };
  return { door, retry };
}
