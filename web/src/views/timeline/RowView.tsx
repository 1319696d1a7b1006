import { memo } from "react";
import type { RoomModel } from "../../models/room/model.ts";
import type { Row } from "../../models/timeline/rows.ts";
import { MessageRow } from "./MessageRow.tsx";
import { DayRow, NewRow, RepliesRow, SystemRow } from "./Rows.tsx";
import { StartCard } from "./StartCard.tsx";
import { UploadRow } from "./UploadRow.tsx";

/** One line of the timeline, by its kind. */
export const RowView = memo(function RowView({
  row,
  room,
  active,
  marked,
}: {
  row: Row;
  room: RoomModel;
  active: boolean;
  marked: boolean;
}) {
  switch (row.type) {
    case "start":
      return <StartCard room={room} />;
    case "day":
      return <DayRow at_ms={row.at_ms} />;
    case "new":
      return <NewRow />;
    case "replies":
      return <RepliesRow replies={row.replies} />;
    case "message":
      return <MessageRow item={row.item} continued={row.continued} active={active} marked={marked} />;
    case "upload":
      return <UploadRow item={row.item} continued={row.continued} />;
    case "system":
      return <SystemRow text={row.text} items={row.items} />;
  }
});
