import { useParams } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { Screen, Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { ActMenu } from "../../parts/ActMenu.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { Time } from "../../parts/Time.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { RoomLinks, UserLinks } from "../rooms/links.tsx";
import { giveBot, makeBotToken, revokeBotToken, rotateBotToken } from "./acts.tsx";
import type { BotDetail, BotToken } from "./shapes.ts";

export default function BotScreen() {
  const { userId = "" } = useParams({ strict: false });
  const bot = useAnswer<BotDetail>(pathOf`/bots/${userId}`);
  const { data } = bot;
  return (
    <Screen
      title={data?.display_name ?? userId}
      detail={userId}
      back={{ to: "/bots", label: "Bots" }}
      action={
        data && (
          <ActMenu
            label="Act on this bot"
            entries={[{ label: "Change who answers for it", act: () => giveBot(data) }]}
          />
        )
      }
    >
      <Shown answer={bot}>{(found) => <About bot={found} />}</Shown>
    </Screen>
  );
}

/** The tokens' columns; a bot's own, since each row acts on it. */
function tokenColumns(userId: string): SimpleTableProps<BotToken>["columns"] {
  return [
    { id: "name", label: "What uses it", value: ({ name, token_id }) => name ?? token_id },
    { id: "scopes", label: "Scopes", value: ({ scopes }) => scopes.join(", ") },
    { id: "rotated", label: "Secret since", value: ({ rotated_ts }) => exactTime(rotated_ts) },
    {
      id: "used",
      label: "Last used",
      value: ({ last_used_ts }) => last_used_ts,
      cell: ({ last_used_ts }) => <Time at_ms={last_used_ts} />,
    },
    { id: "expires", label: "Until", value: ({ expires_ts }) => (expires_ts === null ? "–" : exactTime(expires_ts)) },
    {
      id: "act",
      label: "Act",
      value: () => null,
      cell: (token) => (
        <>
          <ActButton variant="quiet" act={() => rotateBotToken(userId, token)}>
            Rotate
          </ActButton>
          <ActButton variant="quiet" act={() => revokeBotToken(userId, token)}>
            Revoke
          </ActButton>
        </>
      ),
    },
  ];
}

function About({ bot }: { bot: BotDetail }) {
  return (
    <>
      <Section title="What it is">
        <Facts>
          <Fact name="Who answers for it">
            <UserLinks userIds={[bot.owner]} /> {!bot.owner_active && "The account is no longer active."}
          </Fact>
          <Fact name="What it is for">{bot.purpose}</Fact>
          <Fact name="Status">{bot.status}</Fact>
          <Fact name="Made">
            {exactTime(bot.created_ts)} by {bot.created_by}
          </Fact>
          <Fact name="Rooms">
            {bot.channel_list.length > 0 && <RoomLinks roomIds={bot.channel_list.map(({ room_id }) => room_id)} />}
          </Fact>
        </Facts>
      </Section>
      <Section
        title="Tokens"
        intro="Each was shown once, when it was made."
        action={<ActButton act={() => makeBotToken(bot)}>Make a token</ActButton>}
      >
        {bot.token_list.length > 0 ? (
          <SimpleTable
            label="Tokens"
            items={bot.token_list}
            columns={tokenColumns(bot.user_id)}
            rowId={({ token_id }) => token_id}
          />
        ) : (
          <Empty>The bot has no token: it can do nothing.</Empty>
        )}
      </Section>
    </>
  );
}
