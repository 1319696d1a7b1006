import { useParams } from "@tanstack/react-router";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { pathOf } from "../../api.ts";
import { Screen, Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { ActMenu } from "../../parts/ActMenu.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { Time } from "../../parts/Time.tsx";
import { count } from "../../parts/words.ts";
import { AuditTable } from "../audit/AuditTable.tsx";
import {
  deactivateUser,
  eraseUser,
  exportUser,
  renameUser,
  removeSecondFactors,
  resetSignIn,
  restrictUser,
  setRole,
  suspendUsers,
  unsuspendUsers,
} from "./acts.tsx";
import { transferRooms } from "./transfer.ts";
import { UserData } from "./UserData.tsx";
import { UserAccess } from "./UserAccess.tsx";
import { UserDevices } from "./UserDevices.tsx";
import type { UserDetail } from "./shapes.ts";

export default function UserScreen() {
  const { userId = "", tab = "profile" } = useParams({ strict: false });
  const user = useAnswer<UserDetail>(pathOf`/users/${userId}`);
  const to = pathOf`/users/${userId}`;
  return (
    <Screen
      title={user.data?.display_name ?? userId}
      detail={user.data && user.data.status !== "active" ? <StatusTag state={user.data.status} /> : userId}
      back={{ to: "/users", label: "Users" }}
      action={user.data && <UserActs user={user.data} />}
      fills={tab === "audit"}
    >
      <Tabs
        label="Parts of this account"
        current={tab}
        tabs={[
          { name: "profile", to, label: "Profile" },
          { name: "access", to: `${to}/access`, label: "Access" },
          { name: "devices", to: `${to}/devices`, label: "Devices and sessions" },
          { name: "data", to: `${to}/data`, label: "Data" },
          { name: "audit", to: `${to}/audit`, label: "Audit" },
        ]}
      />
      {tab === "audit" && <AuditTable target={userId} />}
      {tab === "devices" && <UserDevices userId={userId} />}
      {tab === "data" && <UserData userId={userId} />}
      {tab === "access" && <UserAccess userId={userId} />}
      {tab === "profile" && <Shown answer={user}>{(data) => <Profile user={data} />}</Shown>}
    </Screen>
  );
}

function UserActs({ user }: { user: UserDetail }) {
  const isThere = user.status !== "deactivated";
  return (
    <ActMenu
      label="Act on this account"
      entries={[
        isThere && { label: "Rename", act: () => renameUser(user) },
        isThere && { label: "Change the role", act: () => setRole(user), needs: "owner" },
        isThere && { label: "Transfer rooms", act: () => transferRooms(user) },
        user.status === "suspended" && { label: "Let in again", act: () => unsuspendUsers([user]) },
        user.status === "read_only" && { label: "Let act again", act: () => unsuspendUsers([user]) },
        user.status === "active" && { label: "Let only read", act: () => restrictUser(user), isDangerous: true },
        isThere &&
          (user.has_second_factor || user.passkeys > 0) && {
            label: "Remove second factors",
            act: () => removeSecondFactors(user),
            isDangerous: true,
          },
        isThere && { label: "Reset sign-in", act: () => resetSignIn(user), isDangerous: true },
        user.status === "active" && { label: "Suspend", act: () => suspendUsers([user]), isDangerous: true },
        { label: "Gather their data", act: () => exportUser(user), needs: "owner" },
        isThere && { label: "Deactivate", act: () => deactivateUser(user), isDangerous: true },
        { label: "Erase", act: () => eraseUser(user), needs: "owner", isDangerous: true },
      ]}
    />
  );
}

function waysIn({ has_password, has_second_factor, passkeys }: UserDetail): string {
  const password = has_second_factor ? "Password and a code" : "Password";
  const ways = [has_password ? password : "No password is set", passkeys > 0 ? count(passkeys, "passkey") : ""];
  return ways.filter((way) => way !== "").join(", ");
}

function policiesOf({ accepted_policies }: UserDetail): string {
  return accepted_policies
    .map(({ policy_id, version, accepted_ts }) => `${policy_id} ${version}, ${exactTime(accepted_ts)}`)
    .join("; ");
}

function Profile({ user }: { user: UserDetail }) {
  return (
    <>
      <Section title="Account">
        <Facts>
          <Fact name="User id">
            <code>{user.user_id}</code>
          </Fact>
          <Fact name="Name">{user.display_name}</Fact>
          {user.emails.length > 0 && <Fact name="E-mail">{user.emails.join(", ")}</Fact>}
          <Fact name="Status">{user.status.replace("_", " ")}</Fact>
          <Fact name="Role">{user.role ?? "No operator"}</Fact>
          <Fact name="Source">{user.source}</Fact>
          <Fact name="Signs in with">{waysIn(user)}</Fact>
          <Fact name="Devices">{user.devices}</Fact>
          <Fact name="Last seen">
            <Time at_ms={user.last_seen_ts} />
          </Fact>
          <Fact name="Joined">{exactTime(user.created_ts)}</Fact>
          {user.accepted_policies.length > 0 && <Fact name="Has accepted">{policiesOf(user)}</Fact>}
          {user.suspended_ts !== null && (
            <Fact name={user.status === "read_only" ? "Only reads since" : "Suspended"}>
              {exactTime(user.suspended_ts)}
            </Fact>
          )}
          {user.deactivated_ts !== null && <Fact name="Deactivated">{exactTime(user.deactivated_ts)}</Fact>}
        </Facts>
      </Section>
      <Section title="Recovery">
        <Notice>
          Nobody here can reset this person's recovery. The recovery key opens their old messages and is known to them
          alone; whoever could replace it could read along. With a new sign-in and the key they have everything back;
          without the key, only what is written from then on.
        </Notice>
      </Section>
    </>
  );
}
