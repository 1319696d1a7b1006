/** The paths of the keys domain. */
import type { Route } from "../http.ts";
import { deleteAllKeys, deleteRoomKeys, deleteSessionKey } from "./backup/delete-keys.ts";
import { getAllKeys, getRoomKeys, getSessionKey } from "./backup/get-keys.ts";
import { putAllKeys, putRoomKeys, putSessionKey } from "./backup/put-keys.ts";
import { createBackup, currentBackup, deleteBackup, getBackup, updateBackup } from "./backup/versions.ts";
import { keyChanges } from "./changes.ts";
import { claimKeys } from "./claim.ts";
import { getDehydratedEvents, postDehydratedEvents } from "./dehydrated-events.ts";
import { deleteDehydrated, getDehydrated, putDehydrated } from "./dehydrated.ts";
import { uploadCrossSigning } from "./device-signing.ts";
import { queryKeys } from "./query.ts";
import { uploadSignatures } from "./signatures.ts";
import { sendToDevice } from "./to-device.ts";
import { uploadKeys } from "./upload.ts";

export const routes: readonly Route[] = [
  uploadKeys,
  queryKeys,
  claimKeys,
  keyChanges,
  uploadCrossSigning,
  uploadSignatures,
  sendToDevice,
  createBackup,
  currentBackup,
  getBackup,
  updateBackup,
  deleteBackup,
  putAllKeys,
  putRoomKeys,
  putSessionKey,
  getAllKeys,
  getRoomKeys,
  getSessionKey,
  deleteAllKeys,
  deleteRoomKeys,
  deleteSessionKey,
  putDehydrated,
  getDehydrated,
  deleteDehydrated,
  getDehydratedEvents,
  postDehydratedEvents,
];
