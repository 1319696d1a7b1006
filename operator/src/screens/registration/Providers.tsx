import { useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useOperator } from "../../frame/context.ts";
import { useAnswer } from "../../model/queries.ts";
import { Copied } from "../../parts/Copied.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { sentenceOf } from "../../parts/words.ts";
import { holds } from "../../session.ts";
import type { Provider, Trial } from "./shapes.ts";
import styles from "./Settings.module.css";

/** By whom people sign in besides a password, and whether that works now. */
export function Providers() {
  const providers = useAnswer<{ items: Provider[] }>("/settings/providers");
  return (
    <Shown answer={providers}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>
            Nobody signs in by a provider here. Whoever runs this server names them in PARLEY_SSO_PROVIDERS.
          </Empty>
        ) : (
          items.map((provider) => <One key={provider.id} provider={provider} />)
        )
      }
    </Shown>
  );
}

function One({ provider }: { provider: Provider }) {
  const { role } = useOperator();
  const [trial, setTrial] = useState<Trial>();
  const [refusal, setRefusal] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const test = async () => {
    setIsBusy(true);
    setRefusal("");
    try {
      setTrial(await call<Trial>(pathOf`/settings/providers/${provider.id}/test`, { method: "POST" }));
    } catch (error) {
      setRefusal(sentenceOf(error));
    }
    setIsBusy(false);
  };
  return (
    <Section
      title={provider.name}
      intro="Set in PARLEY_SSO_PROVIDERS; a change there counts after a restart."
      action={
        <Button size="compact" busy={isBusy} isDisabled={!holds(role, "operator")} onPress={() => void test()}>
          Test now
        </Button>
      }
    >
      <Facts>
        <Fact name="Issuer">{provider.issuer}</Fact>
        <Fact name="Client">{provider.client_id}</Fact>
        <Fact name="Newcomers">{provider.new_accounts ? "get an account" : "get none"}</Fact>
        {provider.email_domains.length > 0 && <Fact name="Only from">{provider.email_domains.join(", ")}</Fact>}
      </Facts>
      <div className={styles["stack"]}>
        <Copied label="Redirect address, to be registered there" text={provider.redirect_uri} />
        {refusal && (
          <Notice tone="danger" title="It could not be tried">
            {refusal}
          </Notice>
        )}
        {trial && (
          <Notice tone={trial.ok ? "info" : "danger"} title={trial.ok ? "It works" : "It does not work"}>
            {trial.checks.map(({ what, says }) => (
              <span key={what} style={{ display: "block" }}>
                {says}
              </span>
            ))}
          </Notice>
        )}
      </div>
    </Section>
  );
}
