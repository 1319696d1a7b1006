import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { Tip } from "../../../../web/src/ui/Tooltip.tsx";
import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useHolds, useOperator } from "../../frame/context.ts";
import { useAnswer } from "../../model/queries.ts";
import { Copied } from "../../parts/Copied.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { sentenceOf } from "../../parts/words.ts";
import { holds } from "../../session.ts";
import { Checks } from "./Checks.tsx";
import type { Provider, Providers as Answer, Trial } from "./shapes.ts";
import styles from "./Settings.module.css";

/** By whom people sign in besides a password, and whether that works now. */
export function Providers() {
  const providers = useAnswer<Answer>("/settings/providers");
  return (
    <Shown answer={providers}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty action={<NewButton />}>
            Nobody signs in by a provider here. Whoever runs this server names them in PARLEY_SSO_PROVIDERS.
          </Empty>
        ) : (
          <>
            <Section
              title="Providers"
              intro="By whom people sign in besides a password. They are set in PARLEY_SSO_PROVIDERS; a change there counts after a restart."
              action={<NewButton />}
            >
              {null}
            </Section>
            {items.map((provider) => (
              <One key={provider.id} provider={provider} />
            ))}
          </>
        )
      }
    </Shown>
  );
}

/** To the wizard, which an owner goes through. */
function NewButton() {
  const navigate = useNavigate();
  const isOwner = useHolds("owner");
  const button = (
    <Button size="compact" isDisabled={!isOwner} onPress={() => void navigate({ to: "/registration/providers/new" })}>
      Set up a provider
    </Button>
  );
  return isOwner ? button : <Tip label="This needs the role owner.">{button}</Tip>;
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
        <Copied label="Back-channel logout address" text={provider.logout_uri} />
        {refusal && (
          <Notice tone="danger" title="It could not be tried">
            {refusal}
          </Notice>
        )}
        {trial && <Checks trial={trial} />}
      </div>
    </Section>
  );
}
