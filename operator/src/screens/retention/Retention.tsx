import { useParams } from "@tanstack/react-router";
import { Screen } from "../../frame/Screen.tsx";
import { ActButton } from "../../parts/ActButton.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { Holds } from "./Holds.tsx";
import { Legal } from "./Legal.tsx";
import { PolicyTab } from "./Policy.tsx";
import { RoomPolicies, setRoomPolicy } from "./RoomPolicies.tsx";

export default function Retention() {
  const { tab = "policy" } = useParams({ strict: false });
  return (
    <Screen
      title="Retention"
      fills={tab === "rooms"}
      action={
        tab === "rooms" && (
          <ActButton size="default" act={setRoomPolicy}>
            Set for a room
          </ActButton>
        )
      }
    >
      <Tabs
        label="Retention"
        current={tab}
        tabs={[
          { name: "policy", to: "/retention", label: "Policy" },
          { name: "rooms", to: "/retention/rooms", label: "Rooms" },
          { name: "holds", to: "/retention/holds", label: "Legal holds" },
          { name: "legal", to: "/retention/legal", label: "Legal access" },
        ]}
      />
      {tab === "policy" && <PolicyTab />}
      {tab === "rooms" && <RoomPolicies />}
      {tab === "holds" && <Holds />}
      {tab === "legal" && <Legal />}
    </Screen>
  );
}
