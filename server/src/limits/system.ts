import { oauthLimits } from "./oauth.ts";

/** Limits of what operators set and see while Parley runs. They are part of `limits` in server/src/limits.ts. */
export const systemLimits = {
  ...oauthLimits,
  /** What operators may set: the least length of passwords at the most, and the bounds of an access token's life. */
  passwordLeastMost_characters: 128,
  accessTokenLeast_s: 60,
  accessTokenMost_s: 31_536_000,
  /** How often each process reads what operators have set: it takes effect everywhere within 5 s. */
  controlsPoll_ms: 2_000,
  /** What a registration token, a bot or a webhook is for. */
  note_characters: 200,
  /** Sessions that are older than operators allow: how many one worker ends in a minute, and how far workers are apart. */
  sessionsEnded: 500,
  sessionLimitsSpread_ms: 30_000,
  /** What was counted: how long it is kept by minutes and by quarters of an hour, and how far back late minutes are looked for. */
  samplesByMinute_ms: 25 * 3_600_000,
  samplesByQuarter_ms: 31 * 86_400_000,
  samplesRolled_ms: 3_600_000,
  /** From when on a part counts as not well: failed requests of five minutes, and their part of all; a small question, an append; what waits. */
  healthFailures_requests: 5,
  healthFailures_part: 0.01,
  healthDatabase_ms: 500,
  healthAppend_ms: 250,
  healthQueue_messages: 1_000,
  /** Backups, restore drills and runs of the doctor: of each kind, how many are kept, and shown at once. */
  runsKept: 100,
  runsShown: 20,
  /** The doctor: how often a worker runs it, how far workers are apart, when a run that did not end counts as lost. */
  doctorEvery_ms: 6 * 3_600_000,
  doctorSpread_ms: 30_000,
  doctorLost_ms: 10 * 60_000,
  /** What people read while writes are refused, and when clients ask again at the latest. */
  maintenanceMessage_characters: 300,
  maintenanceRetry_s: 3_600,
  /** Packages whose licences are read. */
  licences: 5_000,
  /** What is shown for an operator's attention; from when on a device of an administrator, and a backup, is old. */
  attention_items: 50,
  administratorStale_days: 30,
  backupOld_days: 7,
  /** Bots: tokens of one, how long one lives at the most, and how long the secret before works beside a new one. */
  botTokens: 50,
  botToken_days: 3_650,
  overlapLeast_s: 60,
  overlapDefault_s: 86_400,
  overlapMost_s: 30 * 86_400,
  /** Incoming webhooks: the text of a message, deliveries of each that are kept, and each header of one that is. */
  webhookText_characters: 16_000,
  webhookDeliveries: 200,
  webhookHeader_characters: 200,
  /** How long the last delivery of a webhook that failed is something to look at. */
  webhookFailing_days: 7,
} as const;
