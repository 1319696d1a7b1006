/**
 * Whether a restored database is a consistent past (G16): the log is what the backup had and nothing else; what is computed from the
 * log equals what the tables say; every file is in the store, with the right bytes; and clients will notice. Reads only. To be run
 * before a server is started on it: from then on it has more in it than the backup.
 */
import type { Blobs } from "../blobs/blobs.ts";
import type { Connection } from "../db/database.ts";
import { asError } from "../errors.ts";
import { BLOBS_SQL, readDigest } from "./digest.ts";
import { hashOf } from "./files.ts";
import type { ListedBlob, Manifest } from "./manifest.ts";

export interface Verified {
  /** What was looked at: "log", "epoch", "state", "blobs" … */
  check: string;
  ok: boolean;
  /** A sentence. */
  says: string;
}

export interface Verify {
  client: Connection;
  /** Of the backup; without one its comparisons are left out. */
  manifest: Manifest | undefined;
  /** Left out without one. */
  blobs: Pick<Blobs, "get"> | undefined;
}

/** What each check says; those that could not be made are not among them. */
export async function verify({ client, manifest, blobs }: Verify): Promise<Verified[]> {
  await client.query("begin isolation level repeatable read read only");
  try {
    return [
      await headIsTheEnd(client),
      ...(manifest ? [await logIsTheBackups(client, manifest), await epochIsNew(client, manifest)] : []),
      ...(await projections(client)),
      ...(blobs ? [await blobsAreThere(client, blobs)] : []),
    ];
  } finally {
    await client.query("rollback");
  }
}

async function headIsTheEnd(client: Connection): Promise<Verified> {
  const { rows } = await client.query<{ head: number; last: number }>(
    "select (select position from log.head) as head, (select coalesce(max(position), 0) from log.entries) as last",
  );
  const { head = -1, last = 0 } = rows[0] ?? {};
  return last > head
    ? { check: "head", ok: false, says: `The head is at ${head}, and there is an entry at ${last} behind it.` }
    : { check: "head", ok: true, says: `No entry is behind the head, ${head}.` };
}

async function logIsTheBackups(client: Connection, { log }: Manifest): Promise<Verified> {
  const { rows } = await client.query<{ position: number }>("select position from log.head");
  const position = rows[0]?.position ?? -1;
  const { entries, digest } = await readDigest(client, position);
  if (position === log.position && entries === log.entries && digest === log.digest)
    return {
      check: "log",
      ok: true,
      says: `The log is that of the backup, up to position ${position}: ${entries} entries.`,
    };
  return {
    check: "log",
    ok: false,
    says: `The backup has ${log.entries} entries up to position ${log.position}; here are ${entries} up to ${position}${
      entries === log.entries ? ", and some of them are other ones" : ""
    }.`,
  };
}

async function epochIsNew(client: Connection, { log }: Manifest): Promise<Verified> {
  const { rows } = await client.query<{ epoch: number }>("select epoch from log.head");
  const epoch = rows[0]?.epoch ?? 0;
  return epoch > log.epoch
    ? { check: "epoch", ok: true, says: `The history epoch is ${epoch}, and was ${log.epoch}: clients start over.` }
    : {
        check: "epoch",
        ok: false,
        says: `The history epoch is ${epoch}, as in the backup: clients that were ahead of it would miss what comes next. Run "parley restore epoch".`,
      };
}

const IS_THERE = "event_id in (select event_id from log.entries where kind = 'event')";

/** Each gives the rows that the table and the log do not agree on. */
export const PROJECTIONS: Readonly<Record<string, string>> = {
  state: disagreement(
    "select room_id, type, state_key, position, event_id from log.state",
    // What a legal hold keeps of a purged room is in the log, and is no state any more.
    `select distinct on (room_id, type, state_key) room_id, type, state_key, position, event_id from log.entries e
     where kind = 'event' and state_key is not null and type <> 'm.room.member' and not exists (
       select from log.entries p where p.kind = 'removal' and p.type = 'purged' and p.room_id = e.room_id
         and p.position > e.position and e.type <> 'm.room.create')
     order by room_id, type, state_key, position desc`,
  ),
  members: disagreement(
    "select room_id, user_id, membership, position, event_id from log.members",
    `select distinct on (room_id, state_key) room_id, state_key, body::json -> 'content' ->> 'membership', position, event_id
     from log.entries where kind = 'event' and type = 'm.room.member' and state_key is not null
     order by room_id, state_key, position desc`,
  ),
  rooms: disagreement(
    "select room_id, version from log.rooms",
    `select room_id, max(position) from log.entries
     where kind = 'event' and state_key is not null and type <> 'm.room.member' or kind = 'removal' and type = 'purged'
     group by room_id`,
  ),
  receipts: disagreement(
    // An event may have left the log since somebody read it.
    `select room_id, user_id, type, thread_id, event_id, event_position, position from log.receipts where ${IS_THERE}`,
    `select distinct on (r.room_id, r.user_id, r.type, r.state_key) r.room_id, r.user_id, r.type, r.state_key,
       e.event_id, e.position, r.position
     from log.entries r join log.entries e on e.event_id = r.body::json ->> 'event_id'
     where r.kind = 'receipt' and exists (
       select from log.receipts k
       where (k.room_id, k.user_id, k.type, k.thread_id) = (r.room_id, r.user_id, r.type, r.state_key) and k.${IS_THERE})
     order by r.room_id, r.user_id, r.type, r.state_key, e.position desc, r.position desc`,
  ),
  "account data": disagreement(
    "select user_id, room_id, type, position, content from log.account_data",
    `select distinct on (user_id, coalesce(room_id, ''), type) user_id, coalesce(room_id, ''), type, position, body
     from log.entries where kind = 'account_data' order by user_id, coalesce(room_id, ''), type, position desc`,
  ),
};

function disagreement(kept: string, computed: string): string {
  return `with kept as (${kept}), computed as (${computed})
    select count(*) as count from (
      (select * from kept except select * from computed) union all (select * from computed except select * from kept)) as differing`;
}

async function projections(client: Connection): Promise<Verified[]> {
  const found: Verified[] = [];
  for (const [check, sql] of Object.entries(PROJECTIONS)) {
    const { rows } = await client.query<{ count: number }>(sql);
    const count = rows[0]?.count ?? 0;
    const says = count === 0 ? "Equal to what the log gives." : `${count} rows differ from what the log gives.`;
    found.push({ check, ok: count === 0, says });
  }
  return found;
}

async function blobsAreThere(client: Connection, blobs: Pick<Blobs, "get">): Promise<Verified> {
  const { rows } = await client.query<ListedBlob>(BLOBS_SQL);
  const wrong: string[] = [];
  for (const blob of rows) {
    const fault = await faultOf(blobs, blob);
    if (fault) wrong.push(`${blob.sha256} ${fault}`);
  }
  if (wrong.length === 0)
    return { check: "files", ok: true, says: `All ${rows.length} files are there, and are what they should be.` };
  return {
    check: "files",
    ok: false,
    says: `${wrong.length} of ${rows.length} files are not right: ${wrong.slice(0, 5).join("; ")}${wrong.length > 5 ? " …" : ""}.`,
  };
}

async function faultOf(blobs: Pick<Blobs, "get">, { sha256 }: ListedBlob): Promise<string | undefined> {
  try {
    const content = await blobs.get(sha256);
    if (!content) return "is missing";
    return (await hashOf(content)).sha256 === sha256 ? undefined : "is damaged";
  } catch (thrown) {
    return `can not be read (${asError(thrown).message})`;
  }
}
