import type { ReactNode } from "react";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { lengthOf } from "../../model/time.ts";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { count } from "../../parts/words.ts";
import type { SignInWays } from "./shapes.ts";
import styles from "./Settings.module.css";

/** What is shown here and set where the server runs, each with the setting's name. */
export function Ways() {
  const ways = useAnswer<SignInWays>("/settings/sign-in/ways");
  return (
    <Section
      title="Passkeys, codes and the console"
      intro="Set where the server runs, or fixed. People set up passkeys and codes themselves, on their account page."
    >
      <Shown answer={ways}>{(data) => <All {...data} />}</Shown>
    </Section>
  );
}

function All(ways: SignInWays) {
  const time = (length_s: number) => lengthOf(length_s * 1_000);
  return (
    <Facts>
      <Fact name="Passkeys">
        {ways.passkeys_at === null
          ? "Nowhere: an address in numbers has none"
          : `Work at ${ways.passkeys_at}; ${count(ways.people_with_passkeys, "person has", "people have")} one`}
        <By>By AUTH_ISSUER, else PARLEY_PUBLIC_URL. At another host they are lost.</By>
      </Fact>
      <Fact name="Codes from an app">
        {ways.codes
          ? `Can be set up; ${count(ways.people_with_codes, "person is", "people are")} asked for one`
          : "Can not be set up: no master key can be read"}
        <By>By MASTER_ENCRYPTION_KEY, or AUTH_KEY_STORAGE_BACKEND</By>
      </Fact>
      <Fact name="Operators">
        {ways.operators_second_factor === "required" ? "Need codes besides a password" : "Need no second factor"}
        <By>By PARLEY_OPERATORS_SECOND_FACTOR</By>
      </Fact>
      <Fact name="Sessions of the console">
        {`End after ${time(ways.console_idle_s)} unused, and ${time(ways.console_session_s)} in all; changes ask again after ${time(ways.console_confirm_s)}`}
        <By>Fixed. By SESSION_STORAGE_TYPE they are in: {ways.console_sessions_in}</By>
      </Fact>
    </Facts>
  );
}

function By({ children }: { children: ReactNode }) {
  return <p className={styles["origin"]}>{children}</p>;
}
