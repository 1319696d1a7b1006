import type { Scenario } from "../bench.ts";
import { accessGraph } from "./access-graph.ts";
import { deliveries, latency } from "./deliveries.ts";
import { reconnectHerd } from "./herd.ts";
import { joinsManyRooms, joinsOneRoom } from "./joins.ts";
import { soak } from "./soak.ts";
import { hotRoom } from "./hot-room.ts";
import { logDirect, logHalfQueue, logQueue, workers } from "./log.ts";
import { logHalfStream, logStream } from "./log-stream.ts";
import { initialSync, memory, syncChanged, syncUnchanged } from "./many-rooms.ts";
import { scaling } from "./scaling.ts";
import { sendsManyRooms, sendsOneRoom } from "./sends.ts";
import { slidingNews, slidingSync } from "./sliding.ts";
import { streamReference } from "./stream-reference.ts";
import { streamDeliveries, streamFanOut, streamIdle, streamPaced } from "./stream.ts";

/**
 * In the order in which they run. Memory comes first, on a server that has done nothing else, and
 * joins last, since they leave their users in many rooms.
 */
export const scenarios: readonly Scenario[] = [
  memory,
  initialSync,
  syncUnchanged,
  syncChanged,
  slidingSync,
  slidingNews,
  sendsManyRooms,
  sendsOneRoom,
  deliveries,
  latency,
  streamIdle,
  streamDeliveries,
  streamFanOut,
  streamPaced,
  streamReference,
  joinsOneRoom,
  joinsManyRooms,
  logDirect,
  logQueue,
  logStream,
  logHalfStream,
  logHalfQueue,
  ...workers,
  ...scaling,
  reconnectHerd,
  hotRoom,
  ...accessGraph,
  soak,
];
