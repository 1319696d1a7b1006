import { useParams } from "@tanstack/react-router";
import { Screen } from "../../frame/Screen.tsx";
import { ActButton } from "../../parts/ActButton.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { makeToken } from "./acts.tsx";
import { Providers } from "./Providers.tsx";
import { Provisioning } from "./Provisioning.tsx";
import { Settings } from "./Settings.tsx";
import { Tokens } from "./Tokens.tsx";
import { Ways } from "./Ways.tsx";

export default function Registration() {
  const { tab = "tokens" } = useParams({ strict: false });
  return (
    <Screen
      title="Registration and sign-in"
      action={
        <ActButton act={makeToken} variant="primary" size="default">
          Invite
        </ActButton>
      }
      fills={tab === "tokens"}
    >
      <Tabs
        label="Registration and sign-in"
        current={tab}
        tabs={[
          { name: "tokens", to: "/registration", label: "Registration tokens" },
          { name: "provisioning", to: "/registration/provisioning", label: "Provisioning" },
          { name: "providers", to: "/registration/providers", label: "Providers" },
          { name: "settings", to: "/registration/settings", label: "Settings" },
        ]}
      />
      {tab === "tokens" && <Tokens />}
      {tab === "provisioning" && <Provisioning />}
      {tab === "providers" && <Providers />}
      {tab === "settings" && (
        <>
          <Settings />
          <Ways />
        </>
      )}
    </Screen>
  );
}
