import { useParams } from "@tanstack/react-router";
import { Section, Screen } from "../../frame/Screen.tsx";
import { pathOf } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import { lengthOf } from "../../model/time.ts";
import { ActMenu } from "../../parts/ActMenu.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { Time } from "../../parts/Time.tsx";
import { grouped } from "../../parts/words.ts";
import {
  archiveRoom,
  blockRooms,
  makeAdministrator,
  purgeRoom,
  shutDownRoom,
  unblockRoom,
  unpublishRoom,
} from "./acts.tsx";
import { QuestionLink } from "../graph/QuestionLink.tsx";
import { Members } from "./Members.tsx";
import { RoomLinks, UserLinks } from "./links.tsx";
import { nameOf, type RoomDetail } from "./shapes.ts";

export default function RoomScreen() {
  const { roomId = "", tab = "about" } = useParams({ strict: false });
  const room = useAnswer<RoomDetail>(pathOf`/rooms/${roomId}`);
  const to = pathOf`/rooms/${roomId}`;
  return (
    <Screen
      title={room.data ? nameOf(room.data) : roomId}
      detail={room.data?.blocked ? <StatusTag state="blocked" /> : undefined}
      back={{ to: "/rooms", label: "Rooms and spaces" }}
      action={room.data && <RoomActs room={room.data} />}
      fills={tab === "members"}
    >
      <Tabs
        label="Parts of this room"
        current={tab}
        tabs={[
          { name: "about", to, label: "About" },
          { name: "members", to: `${to}/members`, label: "Members" },
        ]}
      />
      {tab === "members" ? <Members roomId={roomId} /> : <Shown answer={room}>{(data) => <About room={data} />}</Shown>}
    </Screen>
  );
}

function RoomActs({ room }: { room: RoomDetail }) {
  return (
    <ActMenu
      label="Act on this room"
      entries={[
        { label: "Make somebody administrator", act: () => makeAdministrator(room) },
        room.published && { label: "Take out of the directory", act: () => unpublishRoom(room) },
        { label: "Archive", act: () => archiveRoom(room) },
        room.blocked && { label: "Unblock", act: () => unblockRoom(room) },
        !room.blocked && { label: "Block", act: () => blockRooms([room]), isDangerous: true },
        { label: "Shut down", act: () => shutDownRoom(room), isDangerous: true },
        room.members + room.invited === 0 && { label: "Purge", act: () => purgeRoom(room), isDangerous: true },
      ]}
    />
  );
}

function About({ room }: { room: RoomDetail }) {
  return (
    <>
      <Nature room={room} />
      <Size room={room} />
      <Power room={room} />
      <Access roomId={room.room_id} />
      <Section title="Spaces">
        <Facts>
          <Fact name="Belongs to">{room.parents.length > 0 && <RoomLinks roomIds={room.parents} />}</Fact>
          {room.type === "m.space" && (
            <Fact name="Holds">{room.children.length > 0 && <RoomLinks roomIds={room.children} />}</Fact>
          )}
        </Facts>
      </Section>
    </>
  );
}

function Nature({ room }: { room: RoomDetail }) {
  return (
    <Section title="What it is">
      <Facts>
        <Fact name="Id">
          <code>{room.room_id}</code>
        </Fact>
        <Fact name="Topic">{room.topic}</Fact>
        <Fact name="Kind">{room.type === "m.space" ? "Space" : (room.type ?? "Room")}</Fact>
        <Fact name="Addresses">{room.aliases.join(", ")}</Fact>
        <Fact name="In the directory">{room.published ? "Yes" : "No"}</Fact>
        <Fact name="Who may join">{room.join_rule}</Fact>
        <Fact name="Who may read the past">{room.history_visibility}</Fact>
        <Fact name="Guests">{room.guest_access}</Fact>
        <Fact name="Encryption">{room.encryption_algorithm ?? "None"}</Fact>
        <Fact name="Version">{room.version}</Fact>
        <Fact name="Created by">{room.creator && <UserLinks userIds={[room.creator]} />}</Fact>
      </Facts>
    </Section>
  );
}

function Size({ room }: { room: RoomDetail }) {
  const kept_ms = room.retention?.max_lifetime_ms;
  return (
    <Section title="How large it is" intro="Numbers alone: what was said stays with its members.">
      <Facts>
        <Fact name="Members">
          {grouped(room.members)}, and {grouped(room.invited)} invited
        </Fact>
        <Fact name="Messages">{grouped(room.messages)}</Fact>
        <Fact name="Events">
          {grouped(room.events)}, of which {grouped(room.state_events)} are its state
        </Fact>
        <Fact name="Last active">
          <Time at_ms={room.last_activity_ts} />
        </Fact>
        <Fact name="Kept for">{kept_ms ? lengthOf(kept_ms) : "As the server's policy says"}</Fact>
      </Facts>
    </Section>
  );
}

function Power({ room: { creators, power_levels } }: { room: RoomDetail }) {
  const levels = Map.groupBy(Object.entries(power_levels.users), ([, level]) => level);
  return (
    <Section title="Who has power in it">
      <Facts>
        {creators.length > 0 && (
          <Fact name="Without limit">
            <UserLinks userIds={creators} />
          </Fact>
        )}
        {[...levels]
          .toSorted(([a], [b]) => b - a)
          .map(([level, people]) => (
            <Fact key={level} name={String(level)}>
              <UserLinks userIds={people.map(([userId]) => userId)} />
            </Fact>
          ))}
        <Fact name="Everybody else">{power_levels.users_default}</Fact>
      </Facts>
    </Section>
  );
}

function Access({ roomId }: { roomId: string }) {
  const about = { room_id: roomId };
  return (
    <Section title="Who gets in" intro="The access graph knows every way: also by a space, an invitation or a bot.">
      <p>
        <QuestionLink question="who" about={about}>
          Who can reach this room?
        </QuestionLink>
        {" · "}
        <QuestionLink question="why" about={about}>
          Why can somebody read it?
        </QuestionLink>
        {" · "}
        <QuestionLink question="paths" about={about}>
          Who made whom administrator?
        </QuestionLink>
        {" · "}
        <QuestionLink question="taken" about={about}>
          What of it has left the server?
        </QuestionLink>
      </p>
    </Section>
  );
}
