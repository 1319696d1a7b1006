import { useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { openPortal } from "./acts.tsx";
import { DeadLetters } from "./DeadLetters.tsx";
import { Events } from "./Events.tsx";
import { Invoices } from "./Invoices.tsx";
import { Overview } from "./Overview.tsx";
import type { Status } from "./shapes.ts";

interface Part {
  label: string;
  View: ComponentType;
  /** A table that takes the height that is left. */
  fills?: boolean;
}

const parts: Readonly<Record<string, Part>> = {
  overview: { label: "Plan and usage", View: Overview },
  invoices: { label: "Invoices", View: Invoices, fills: true },
  events: { label: "Events", View: Events, fills: true },
  "dead-letters": { label: "Not handled", View: DeadLetters, fills: true },
};

export default function Billing() {
  const { tab = "overview" } = useParams({ strict: false });
  const status = useAnswer<Status>("/billing");
  const { View = Overview, fills = false } = parts[tab] ?? {};
  return (
    <Screen
      title="Billing"
      action={
        status.data?.configured && (
          <ActButton act={openPortal} needs="owner" variant="primary" size="default">
            Open Stripe
          </ActButton>
        )
      }
      fills={fills}
    >
      <Tabs
        label="Billing"
        current={tab}
        tabs={Object.entries(parts).map(([name, { label }]) => ({
          name,
          to: name === "overview" ? "/billing" : `/billing/${name}`,
          label,
        }))}
      />
      <View />
    </Screen>
  );
}
