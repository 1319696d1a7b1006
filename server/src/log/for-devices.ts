/** The log for whoever brings messages to devices: what has arrived is deleted. Specification: "Send-to-Device messaging". */
import type { Db } from "../db/database.ts";

/** A device has its messages up to this position of the history of this epoch. */
export interface Arrived {
  userId: string;
  deviceId: string;
  upTo: number;
  epoch: number;
}

/**
 * Deletes what has arrived. Where the database has failed over meanwhile, others' messages may have the positions behind the fork by now,
 * and after a restore any position: those have arrived nowhere. The database decides, as who asks may not have heard of it yet. An epoch
 * with nothing in common with the one before has no fork (epochs.ts).
 */
export async function deleteArrived(db: Pick<Db, "change">, arrived: readonly Arrived[]): Promise<void> {
  await db.change(
    `delete from log.entries e using unnest($1::text[], $2::text[], $3::bigint[], $4::integer[]) a(user_id, device_id, up_to, epoch)
     where e.kind = 'to_device' and e.user_id = a.user_id and e.device_id = a.device_id
       and e.position <= least(a.up_to, (
         select case when count(*) = (select epoch from log.head) - a.epoch then min(f.position) else -1 end
         from log.forks f where f.epoch > a.epoch))`,
    [
      arrived.map(({ userId }) => userId),
      arrived.map(({ deviceId }) => deviceId),
      arrived.map(({ upTo }) => upTo),
      arrived.map(({ epoch }) => epoch),
    ],
  );
}
