import { useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import type { Filter } from "../../model/search.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { makeBot, makeWebhook } from "./acts.tsx";
import { Services } from "./Services.tsx";
import type { Bot } from "./shapes.ts";
import { Webhooks } from "./Webhooks.tsx";

const columns: readonly Column<Bot>[] = [
  { id: "user_id", label: "Bot", width: "minmax(180px, 1.4fr)", value: ({ user_id }) => user_id, onPhone: true },
  { id: "purpose", label: "What for", width: "minmax(140px, 1.4fr)", value: ({ purpose }) => purpose },
  {
    id: "owner",
    label: "Who answers for it",
    width: "minmax(160px, 1.4fr)",
    value: ({ owner }) => owner,
    cell: ({ owner, owner_active }) => (
      <>
        {owner} {!owner_active && <StatusTag state="gone" />}
      </>
    ),
    onPhone: true,
  },
  { id: "tokens", label: "Tokens", width: "80px", value: ({ tokens }) => tokens, atEnd: true },
  timeColumn({ of: "oldest_token_ts", id: "oldest", label: "Oldest", width: "90px" }),
  timeColumn({ of: "last_used_ts", id: "used", label: "Last used", width: "90px" }),
  { id: "channels", label: "Rooms", width: "80px", value: ({ channels }) => channels, atEnd: true },
];

const filters: readonly Filter[] = [{ name: "owner", label: "Who answers for it" }];

interface Part {
  label: string;
  to: string;
  View: ComponentType;
  /** What makes another one. A service is made by a file. */
  make?: { label: string; act: () => Act };
}

const parts: Readonly<Record<string, Part>> = {
  bots: { label: "Bots", to: "/bots", View: BotList, make: { label: "Make a bot", act: makeBot } },
  webhooks: {
    label: "Webhooks",
    to: "/integrations/webhooks",
    View: Webhooks,
    make: { label: "Make a webhook", act: makeWebhook },
  },
  services: { label: "Application services", to: "/integrations/services", View: Services },
};

export default function Bots() {
  const { tab = "bots" } = useParams({ strict: false });
  const { View = BotList, make } = parts[tab] ?? {};
  return (
    <Screen
      title="Bots and integrations"
      action={
        make && (
          <ActButton act={make.act} variant="primary" size="default">
            {make.label}
          </ActButton>
        )
      }
      fills
    >
      <Tabs
        label="Bots and integrations"
        current={tab}
        tabs={Object.entries(parts).map(([name, { label, to }]) => ({ name, label, to }))}
      />
      <View />
    </Screen>
  );
}

function BotList() {
  return (
    <DataTable
      label="Bots"
      path="/bots"
      columns={columns}
      rowId={({ user_id }) => user_id}
      linkOf={({ user_id }) => pathOf`/bots/${user_id}`}
      isSearchable
      filters={filters}
      empty="There are no bots."
    />
  );
}
