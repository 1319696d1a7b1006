/** Limits of pushers, and of what is sent through them. */
export const pushLimits = {
  /** Events that are kept as rules look at them, for the members of their rooms who are told of them at about the same time. */
  pushPrepared_events: 500,
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
  /** Who looks through the log for what is to be sent: how often, how much at once, and for how long without a sign of life. */
  pushPause_ms: 200,
  pushBreath_ms: 20,
  pushStretch_entries: 500,
  pushSpan_positions: 50_000,
  pushLease_ms: 30_000,
  /** How often it is made sure who has pushers, beside each change; rooms of whose members it is remembered. */
  pushWatchers_ms: 60_000,
  pushWatched_rooms: 20_000,
  /** Rooms with something unread that are counted for one number. */
  pushUnread_rooms: 500,
  /** People who are counted for together, and from how many on in a room others are let in after each event. */
  pushCounted_people: 50,
  pushYield_people: 100,
  /** What happened so long ago is not told any more. */
  pushOld_ms: 86_400_000,
  /** What waits for one pusher; the oldest goes first. */
  pushQueue_notifications: 500,
  /** Sending: pushers at a time, and of one person, whose gateways may be slow; how many that are due are chosen from; how often it is looked for what is due where something keeps it waiting, and where nobody has said that there is anything; and notifications that are read together. */
  pushesAtOnce: 16,
  pushesOfOne: 4,
  pushesDue: 400,
  pushPoll_ms: 1_000,
  pushLook_ms: 10_000,
  /** When operators are told: since when a gateway takes nothing, and how long something has waited for a worker. */
  pushFailing_ms: 300_000,
  pushLate_ms: 60_000,
  pushBatch_notifications: 20,
  /** How long a gateway may take, and how long its answer may be; the lease of who sends is longer. */
  pushAnswer_ms: 15_000,
  pushAnswer_bytes: 65_536,
  pushDelivery_ms: 45_000,
  /** Between two attempts, at the least and at the most; each is twice the one before. */
  pushRetryLeast_ms: 1_000,
  pushRetryMost_ms: 3_600_000,
  /** A message of Web Push before it is encrypted: push services need not take more than 4,096 bytes of it after. */
  webPush_bytes: 3_900,
  /** How long a push service may take a signature of this server for its own: at the most 24 hours. */
  vapidToken_ms: 12 * 3_600_000,
} as const;
