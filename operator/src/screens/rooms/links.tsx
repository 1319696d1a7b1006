import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import { pathOf } from "../../api.ts";

/** People, each with a link to their page. */
export function UserLinks({ userIds }: { userIds: readonly string[] }) {
  return userIds.map((userId, index) => (
    <Fragment key={userId}>
      {index > 0 && ", "}
      <Link to={pathOf`/users/${userId}`}>{userId}</Link>
    </Fragment>
  ));
}

/** Rooms, each with a link to its page. */
export function RoomLinks({ roomIds }: { roomIds: readonly string[] }) {
  return roomIds.map((roomId, index) => (
    <Fragment key={roomId}>
      {index > 0 && ", "}
      <Link to={pathOf`/rooms/${roomId}`}>{roomId}</Link>
    </Fragment>
  ));
}
