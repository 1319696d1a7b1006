/** Limits of pushers, and of what is sent through them. */
export const pushLimits = {
  /** What a client may say of a pusher, and how many one person may have. */
  pushkey_bytes: 512,
  pusherAppId_characters: 64,
  pusherText_characters: 255,
  pusherData_bytes: 8_192,
  pushers: 100,
  /** GET /notifications: how many at a time, and how many events are looked at for them. */
  notifications: 100,
  notificationsDefault: 20,
  notificationsScan_events: 500,
  notificationsScan_times: 4,
} as const;
