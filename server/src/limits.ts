import { appserviceLimits } from "./limits/appservice.ts";
import { slidingLimits } from "./limits/sliding.ts";
import { ssoLimits } from "./limits/sso.ts";
import { streamLimits } from "./limits/stream.ts";
import { systemLimits } from "./limits/system.ts";
import { explorerLimits } from "./explorer/limits.ts";
import { factorLimits } from "./limits/factors.ts";
import { graphLimits } from "./limits/graph.ts";
import { jobLimits } from "./limits/jobs.ts";
import { mediaLimits } from "./limits/media.ts";
import { emailLimits } from "./limits/email.ts";
import { rates } from "./limits/rates.ts";
import { operatorLimits } from "./limits/operators.ts";
import { personLimits } from "./limits/persons.ts";
import { pushLimits } from "./limits/push.ts";
import { delayedLimits } from "./limits/delayed.ts";
import { registrationLimits } from "./limits/registration.ts";
import { searchLimits } from "./limits/search.ts";

/** Every limit of the server, with its unit, here or in the folder limits/. A queue, a body, a loop or a buffer without a line here is a defect. */
export const limits = {
  ...appserviceLimits,
  ...systemLimits,
  ...ssoLimits,
  ...streamLimits,
  ...mediaLimits,
  ...searchLimits,
  ...slidingLimits,
  ...delayedLimits,
  ...factorLimits,
  /** Events: client-server-api, "Size limits". */
  event_bytes: 65_536,
  identifier_bytes: 255,
  /** Request bodies; media has its own setting. */
  body_bytes: 1_048_576,
  keysBody_bytes: 10_485_760,
  /** Longer than the longest wait for an answer: a sync. */
  connectionIdle_ms: 120_000,
  /** At the stop: how long requests in flight may take, and how often connections that fell idle are closed. */
  httpDrain_ms: 5_000,
  httpSweep_ms: 50,

  /** The gateway's proxy: requests on their way in all; how often one is asked, and the pause before the same process is. */
  proxied_requests: 4_000,
  upstream_attempts: 3,
  upstreamPause_ms: 50,
  /** How long to wait for a connection; for any byte on it; how long one is kept unused, which is shorter than the other end does. */
  upstreamConnect_ms: 2_000,
  upstreamSilence_ms: 60_000,
  upstreamIdle_ms: 4_000,
  /** How often processes are asked whether they are ready, how long the answer may take, and how often names are looked up. */
  upstreamCheck_ms: 1_000,
  upstreamCheckWait_ms: 2_000,
  upstreamResolve_ms: 5_000,

  /** The database: how long a statement waits for one that is away; for a free connection; for a new one; for its answer. */
  databasePatience_ms: 10_000,
  databaseQueue_ms: 10_000,
  databaseConnect_ms: 3_000,
  databaseAnswer_ms: 15_000,
  /** When the database itself ends a statement, before nobody waits for it any more; and a transaction in which nothing is asked. */
  databaseStatement_ms: 14_000,
  databaseIdle_ms: 60_000,
  /** A migration: how long it waits for its locks, with others waiting behind it; how long it lets them pass; and how often. */
  migrationLock_ms: 1_000,
  migrationPause_ms: 500,
  migration_attempts: 60,
  /** Waiting for somebody else's migrations: how often to look, and how long a start waits. */
  schemaPoll_ms: 500,
  schemaWait_ms: 600_000,
  /** How old what readiness knows of the schema may be. */
  schemaFit_ms: 5_000,
  /** Replicas of the database: how often they are asked how far they are, and how long a read may take before the primary is asked. */
  replicaPoll_ms: 250,
  replicaAnswer_ms: 3_000,

  /** The append: entries of one batch, and submissions that may wait for a lane before senders are told to come back. */
  batch_entries: 200,
  laneQueue_submissions: 10_000,
  lanes: 2,
  /** How often a batch is tried of which nobody knows whether it was appended. */
  appendUnknown_attempts: 4,
  /** How often a send is checked again on fresh state before the room counts as too busy. */
  append_attempts: 20,
  /** In how many rooms at once something is done for one person, such as telling a new name. */
  fanOut_rooms: 100,
  /** How many bans, and how many rooms of a space, an upgraded room takes along. */
  upgrade_events: 1_000,

  /** A queue in RabbitMQ: messages that it holds; and deliveries of one that no consumer survives. */
  queue_messages: 200_000,
  queueDeliveries: 10,
  /** Messages that one process works on at once; messages of one statement, where the queue is PostgreSQL. */
  queuePrefetch_messages: 100,
  queueBatch_messages: 200,
  /** Messages full of sends that a process publishes at once; the sends in one, and how large it may become by more than one. */
  queuedPacks: 4,
  queuedPack_sends: 50,
  queuedPack_characters: 131_072,
  /** How long after each failed attempt a message comes again; one more attempt than delays. */
  queueRetries_ms: [250, 1_000, 5_000, 30_000],
  /** How long a message stays taken by a process that does not move any more, and how often a waiting one looks by itself. */
  queueVisibility_ms: 15_000,
  queuePoll_ms: 500,
  /** How long to wait for handlers at the stop, for a connection to the broker, for its confirmation of a message, and for its goodbye. */
  queueDrain_ms: 3_000,
  queueConnect_ms: 5_000,
  queueConfirm_ms: 5_000,
  queueGoodbye_ms: 1_000,
  /** How often it is said that the queue does not take what it should. */
  queueTell_ms: 10_000,

  /** Receipts that are written together, at the most. */
  receiptBatch: 1_000,
  /** Delivery receipts: rooms with more members have none; how often they are written; how many may wait for that. */
  deliveryRoom_members: 20,
  deliveryTick_ms: 1_000,
  deliveriesDue: 20_000,
  /** How long a send waits for a worker before the process that was asked appends it itself. */
  queuedSend_ms: 10_000,
  /** When it looks whether it is a retry of a message that is in the log: the worker says so on the bus, which may lose it. */
  queuedLook_ms: 1_000,

  /** The tail of the log that a replica keeps in memory for incremental sync. */
  tail_entries: 50_000,
  tail_bytes: 32 * 1_048_576,
  /** The same where nobody follows the log through a process: a few young events are looked for there. */
  tailYoung_entries: 1_000,
  tailYoung_bytes: 1_048_576,
  /** How many entries one query for the tail may bring. */
  tailFetch_entries: 2_000,
  /** How long a gap in the tail may stay open before the database is asked: another lane mostly fills it first. */
  tailGap_ms: 5,
  /** How often a replica looks at the head without any hint, so that a dead bus costs latency and nothing else. */
  headPoll_ms: 1_000,

  /**
   * Giving memory back: how often a process looks, below which part of busy time it is quiet, for how many looks in a row, how much
   * the heap must have grown since the last time, and above which size it is left alone.
   */
  restTick_ms: 1_000,
  restQuiet: 0.1,
  restQuiet_ticks: 2,
  restGrowth_bytes: 24 * 1_048_576,
  restHeap_bytes: 384 * 1_048_576,

  /** The bus: one message, what waits to be sent, cut messages that are put together, and packets that a broker keeps for a process. */
  busMessage_bytes: 1_048_576,
  busOutbox_bytes: 16 * 1_048_576,
  busPartial_senders: 64,
  busQueue_packets: 1_000,
  /** How long a connection to a broker may take until it carries packets, and until it is closed. */
  busConnect_ms: 5_000,
  /** How often a process looks for a new key of the bus. */
  busKeys_ms: 5_000,
  busClose_ms: 1_000,
  /** How often a packet must come back from the broker. */
  busBeat_ms: 10_000,
  /** The least and the most between two attempts to come back to a broker; half of it is chance. */
  relinkLeast_ms: 100,
  relinkMost_ms: 5_000,
  /** Entries that travel with the hint about them: of one message, how many and how large together. */
  headInline_entries: 16,
  headInline_bytes: 65_536,
  /** Events that a client reports at once as read or not. */
  decryptionReport_events: 10_000,
  /** Traces that wait for the collector; the newest entries that are traced, and deliveries of one of them that are recorded. */
  traceQueue_spans: 4_096,
  traced_entries: 1_000,
  tracedDeliveries_count: 20,
  /** How long a start waits for another replica to end that may not run beside it, and how often a replica shows itself. */
  replicaWait_ms: 3_000,
  replicaBeat_ms: 10_000,

  /** Connections that the system holds until the process takes them: after a failure thousands come in one second. */
  httpBacklog_connections: 4_096,

  /** A process whose log is further behind than this is not ready to serve. */
  readyLag_entries: 5_000,

  /** Questions of one kind that go to the database together, and those whose answers may be many entries. */
  lookup_keys: 256,
  lookupUnread_users: 16,

  /** Rooms, users and sessions whose state is kept in memory. */
  roomCache_members: 400_000,
  roomCache_rooms: 20_000,
  userCache_users: 20_000,
  /** Of one room: people whose earlier memberships are kept, to tell which events they may see. */
  roomHistories_users: 1_000,
  sessionCache_sessions: 50_000,
  sessionCache_ms: 30_000,
  /** Signing out takes effect everywhere in 5 s: how long a process may not have heard the log and still trust its memory. */
  sessionBlind_ms: 4_000,
  /** How often the times at which sessions were last seen are written. */
  lastSeenWrite_ms: 60_000,

  /** People whose presence is kept, and how long someone may type or be online without another sign of life. */
  presence_users: 50_000,
  /** Rooms in which somebody types, or did lately. */
  typing_rooms: 20_000,
  typing_ms: 120_000,
  typingDefault_ms: 30_000,
  presence_ms: 90_000,
  /** How often signs of life that change nothing are written; how long the status message of somebody who is away is kept. */
  presenceRefresh_ms: 20_000,
  presenceKept_ms: 7 * 86_400_000,
  /** The store of these: how long an answer may take; what is written at once, and what may wait to be. */
  ephemeralAnswer_ms: 3_000,
  ephemeralBatch_operations: 1_000,
  ephemeralWaiting_operations: 50_000,
  /** How often it is asked although nobody said that something changed, and the least time to something's end. */
  ephemeralPoll_ms: 1_000,
  ephemeralEnd_ms: 20,
  /** How long what is over can be asked for, and how often it is cleared away after that. */
  ephemeralEnded_ms: 600_000,
  ephemeralSweep_ms: 60_000,
  /** What one message tells other replicas word by word; beyond it they ask the store. */
  ephemeralHint_characters: 65_536,
  /** Uploads whose progress is known, how often it is told, and how long it is kept. */
  uploads: 10_000,
  uploadProgress_ms: 250,
  uploadKept_ms: 600_000,

  /** Sync. */
  syncTimeout_ms: 60_000,
  /** How long a sync waits for this process to reach the position of its token. */
  syncCatchUp_ms: 5_000,
  syncTimeline_events: 100,
  syncDefaultTimeline_events: 20,
  toDevicePerSync_messages: 100,
  /** Sessions for which it is remembered which members they have. */
  lazyMembers_sessions: 2_000,
  unreadScan_events: 1_000,

  /** Profiles, and filters that are kept compiled. */
  profile_bytes: 65_536,
  displayname_bytes: 256,
  compiledFilters: 5_000,

  /** Keys of end-to-end encryption: of one device, in one request, and of one object in JSON. */
  oneTimeKeys_keys: 1_000,
  keyObject_bytes: 16_384,
  keysQuery_users: 5_000,
  /** A room without encryption has its members told of each other's keys up to here. */
  keysWithoutEncryption_members: 100,
  keysClaim_devices: 2_000,
  keysClaimBatch_devices: 50,
  signatures: 1_000,
  /** How long a one-time key that was handed out is remembered, so that no late upload brings it back. */
  claimedKeys_ms: 30 * 24 * 3_600_000,
  /** To-device messages of one request, and the content of each. */
  toDevice_messages: 2_000,
  toDeviceMessage_bytes: 65_536,
  /** Key backups: the data of one session, and how many sessions one query of a download reads. */
  backupSession_bytes: 65_536,
  backupPage_sessions: 1_000,
  dehydratedDevice_bytes: 262_144,

  /** A half written file that nobody has written to for so long belongs to a process that ended. */
  uploadAbandoned_ms: 3_600_000,
  /** How often such files, and uploads to an object store that nobody goes on with, are looked for. */
  blobSweep_ms: 3_600_000,
  /** Object stores: the parts of large files, those of one upload at once, and those of all uploads that are in memory. */
  blobPart_bytes: 8 * 1_048_576,
  blobPartsAtOnce: 4,
  blobParts_bytes: 128 * 1_048_576,
  /** How often a download goes on after its connection to the store broke, and when a client may ask again of a store that is away. */
  blobReadBreaks: 5,
  blobsAway_ms: 5_000,
  /** Requests to clouds: how often they are tried, how long an answer may take, and the least and most between two tries. */
  cloudTries: 5,
  cloudAnswer_ms: 30_000,
  cloudRetryLeast_ms: 100,
  cloudRetryMost_ms: 10_000,

  /** Pages. */
  page_events: 1_000,
  defaultPage_events: 10,
  /** Of a page, how many events are read at once, and looked at in all: a filter may want very few of them. */
  pageBatch_events: 100,
  pageScan_events: 5_000,
  defaultThreads: 20,
  /** References to one event that are bundled with it. */
  bundledReferences_events: 1_000,
  directoryPage_rooms: 500,
  /** How long after a change the directory shows it, and of how many rooms at once it finds out what there is to show. */
  directoryRefresh_ms: 500,
  directoryRefresh_rooms: 200,
  /** A space: rooms of one page, levels below the first, and rooms that are looked at in all. */
  hierarchyPage_rooms: 100,
  hierarchyDefaultPage_rooms: 50,
  hierarchy_levels: 10,
  hierarchy_rooms: 2_000,
  /** Searches for people: results, words of a term, people around somebody, and people whose rooms are looked at together. */
  userSearch_users: 50,
  userSearchDefault_users: 10,
  userSearch_words: 10,
  userSearchCircle_users: 5_000,
  userSearchCircle_memberships: 50_000,
  userSearchBatch_users: 500,
  /** How many people found by their names are looked at first, how many times more when too few of them are seen, and in all. */
  userSearchFirst_users: 200,
  userSearchGrowth_factor: 7,
  userSearchScan_users: 9_800,
  mutualPage_rooms: 500,
  reportReason_characters: 10_000,
  /** How far the clocks of replicas may be apart before an event is not found by its time. */
  clockSkew_ms: 10_000,

  /** Hosts that people name: how long a name may be, and of how many addresses it may have. */
  hostName_characters: 253,
  hostAddresses: 8,
  /** Names that are looked up at once, and that wait for it; how long somebody waits. */
  lookups: 2,
  lookupsWaiting: 100,
  lookup_ms: 5_000,
  /** Connections to one of them at a time. */
  outwardHost_sockets: 8,
  ...explorerLimits,

  /** Sign-in: one argon2 hash at a time per core; beyond the queue the answer is 429. */
  hashQueue_requests: 64,
  hashConcurrency: 2,
  password_characters: 512,
  passwordLeast_characters: 8,
  /** How long user-interactive authentication may take, and how long a token for POST /login lives. */
  interactive_ms: 15 * 60_000,
  /** How long a token of OpenID says who somebody is. */
  openIdToken_ms: 60 * 60_000,
  /** How long GET /events waits where the client does not say, and how often it looks into a room that the reader is not in. */
  oldEvents_ms: 30_000,
  peekPoll_ms: 500,
  loginToken_ms: 2 * 60_000,
  deviceName_characters: 255,

  ...operatorLimits,
  ...emailLimits,
  ...registrationLimits,
  ...personLimits,
  ...graphLimits,

  ...jobLimits,
  ...pushLimits,

  /** Billing: how long Stripe may take to answer, how old what it signed may be, and events of one page of its list. */
  billingAnswer_ms: 20_000,
  billingSignature_ms: 300_000,
  billingPage_events: 100,
  /** How often its list is read, and how far back again: an event may appear in it after a younger one. */
  billingStream_ms: 300_000,
  billingOverlap_ms: 600_000,
  /** How often what the customer has is looked through, and how many of its invoices. */
  billingLookThrough_ms: 86_400_000,
  billingInvoices: 300,
  /** How long nobody works after a process died; how long one that stands still keeps a transaction; how often others look. */
  billingLease_ms: 30_000,
  billingTransaction_ms: 3_000,
  billingPoll_ms: 2_000,
  /** How often each process looks how far behind it all is, for the metrics. */
  billingLook_ms: 15_000,
  /** How often a delivery is begun until it counts as dead, the least and most between two attempts, and how long one may take. */
  billing_attempts: 15,
  billingRetryLeast_ms: 1_000,
  billingRetryMost_ms: 3_600_000,
  billingVisibility_ms: 60_000,
  /** How long a part of the work rests after it failed, and how long the stop waits for it. */
  billingRest_ms: 30_000,
  billingStop_ms: 3_000,
  billingReason_characters: 1_000,
  /** Whoever was active within so many days has a seat; storage is billed by this many bytes. */
  billingActive_days: 30,
  billingStorageUnit_bytes: 1_073_741_824,
  /** Events that one replay may name by their time. */
  billingReplay_events: 10_000,

  /** Token buckets: how many are kept, how often those of this process are brought together with the others', and from which
   *  part of the burst on. */
  buckets: 100_000,
  bucketsShare_ms: 1_000,
  bucketsShare_part: 0.1,
  rates,
} as const;

export type Rate = keyof typeof limits.rates;

/** Rates that all replicas keep to exactly, at the price of a round trip. See rates.ts. */
const strict: readonly Rate[] = [
  "login",
  "loginFailed",
  "accountGuessed",
  "register",
  "userCode",
  "mail",
  "secondFactor",
];
export const strictRates: ReadonlySet<Rate> = new Set(strict);
