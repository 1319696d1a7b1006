import { Link } from "wouter";
import { HOME } from "../../models/routes.ts";
import { count } from "../../models/format/words.ts";
import type { RoomInfo, TrustTag } from "../../models/room/model.ts";
import { IconButton } from "../../ui/Button.tsx";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Tag } from "../../ui/Tag.tsx";
import { Tip } from "../../ui/Tooltip.tsx";
import { Button as AriaButton } from "react-aria-components";
import styles from "./RoomView.module.css";

const ICONS: Record<RoomInfo["kind"], IconName> = {
  public: "hash",
  private: "lock",
  restricted: "diamond",
  direct: "person",
};

/** The name of the room, what it is about, who is there, and how far it can be trusted. */
export function RoomHeader({
  info,
  detailsOpen,
  onDetails,
}: {
  info: RoomInfo;
  detailsOpen: boolean;
  onDetails: () => void;
}) {
  return (
    <header className={styles["header"]}>
      <Link href={HOME} className={styles["back"]} aria-label="Back to the list">
        <Icon name="chevronLeft" size={20} />
      </Link>
      <div className={styles["titles"]}>
        <h1 className={styles["title"]}>
          <Icon name={info.kind === "direct" && !info.peer ? "people" : ICONS[info.kind]} />
          <span>{info.name}</span>
        </h1>
        <p className={styles["subtitle"]}>{subtitle(info)}</p>
      </div>
      <Trust trust={info.trust} onPress={onDetails} />
      <IconButton
        icon="people"
        label={detailsOpen ? "Close the details" : "Details and members"}
        pressed={detailsOpen}
        onPress={onDetails}
      />
    </header>
  );
}

function subtitle(info: RoomInfo): string {
  const members = info.kind === "direct" && info.memberCount <= 2 ? "" : count(info.memberCount, "member");
  return [info.topic.split("\n")[0], members].filter(Boolean).join(" · ");
}

/** One tag for the room, never a shield on each message. It leads to the details, which say more. */
function Trust({ trust, onPress }: { trust: TrustTag; onPress: () => void }) {
  if (trust.tone === "none") return null;
  return (
    <Tip label={trust.detail}>
      <AriaButton className={styles["trust"] ?? ""} onPress={onPress} aria-label={`${trust.text}. ${trust.detail}`}>
        <Tag tone={trust.tone}>
          {trust.tone === "warn" && <Icon name="alert" size={12} />}
          {trust.text}
        </Tag>
      </AriaButton>
    </Tip>
  );
}
