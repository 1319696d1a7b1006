import { useEffect } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { useSnapshot } from "../../app/context.ts";
import { useLayers } from "../../app/layers.ts";
import { count } from "../../models/format/words.ts";
import type { RoomInfo, RoomModel } from "../../models/room/model.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Panel } from "../../ui/Panel.tsx";
import { EditableText } from "./EditableText.tsx";
import { Members } from "./Members.tsx";
import styles from "./Details.module.css";

/** What the room is and who is in it. */
export function Details({ room, onClose }: { room: RoomModel; onClose: () => void }) {
  const info = useSnapshot(room.info);
  useEffect(() => void room.loadMembers(), [room]);
  return (
    <Panel title="Details" detail={info.name} onClose={onClose}>
      <Tabs className={styles["tabs"] ?? ""}>
        <TabList aria-label="Details" className={styles["tabList"] ?? ""}>
          <Tab id="members" className={styles["tab"] ?? ""}>
            Members ({info.memberCount})
          </Tab>
          <Tab id="about" className={styles["tab"] ?? ""}>
            About
          </Tab>
        </TabList>
        <TabPanel id="members" className={styles["panel"] ?? ""}>
          <Members room={room} info={info} />
        </TabPanel>
        <TabPanel id="about" className={styles["panel"] ?? ""}>
          <About room={room} info={info} />
        </TabPanel>
      </Tabs>
    </Panel>
  );
}

function About({ room, info }: { room: RoomModel; info: RoomInfo }) {
  const { open } = useLayers();
  return (
    <div className={styles["about"]}>
      <EditableText label="Name" value={info.name} editable={info.can.rename} onSave={(name) => room.setName(name)} />
      <EditableText
        label="Topic"
        value={info.topic}
        empty="No topic"
        rows={3}
        editable={info.can.setTopic}
        onSave={(topic) => room.setTopic(topic)}
      />
      <Fact label="Who can read it" text={accessText(info)} />
      <Fact label="Encryption" text={info.trust.detail} icon={info.encrypted ? "lock" : "info"} />
      {info.alias && <Fact label="Address" text={info.alias} mono />}
      <Fact label="Identifier" text={info.id} mono />
      <div className={styles["danger"]}>
        <Button variant="secondary" icon="leave" onPress={() => open({ layer: "leave", roomId: info.id })}>
          {info.kind === "direct" ? "Leave conversation" : "Leave channel"}
        </Button>
      </div>
    </div>
  );
}

function Fact({ label, text, icon, mono }: { label: string; text: string; icon?: "lock" | "info"; mono?: boolean }) {
  return (
    <div>
      <h3 className={styles["label"]}>{label}</h3>
      <p className={mono ? styles["mono"] : styles["fact"]}>
        {icon && <Icon name={icon} size={14} />}
        <span>{text}</span>
      </p>
    </div>
  );
}

function accessText(info: RoomInfo): string {
  const members = count(info.memberCount, "member");
  if (info.kind === "public") return `Anyone on this server can join. Now: ${members}.`;
  if (info.kind === "restricted")
    return `Members of certain spaces can join by themselves, others by invitation. Now: ${members}.`;
  return `Only those who are invited. Now: ${members}.`;
}
