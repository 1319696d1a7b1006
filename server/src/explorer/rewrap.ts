/** Wraps the keys of all saved connections with the first master key, while they are used. */
import { limits } from "../limits.ts";
import type { MasterKeys } from "../secrets/master-keys.ts";
import { wrappedWith } from "../secrets/master-keys.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { rewrapKey } from "./envelope.ts";

export interface Rewrapping {
  store: CredentialStore;
  masterKeys: Pick<MasterKeys, "wrap" | "unwrap">;
  /** The name of the first master key. */
  first: string;
}

/**
 * Gives how many it wrapped anew. Cut short, the next one goes on with the rest. Throws M_BAD_STATE for a connection whose key no master
 * key opens: it is named, and nothing is retired.
 */
export async function rewrapAll({ store, masterKeys, first }: Rewrapping): Promise<number> {
  let count = 0;
  for (;;) {
    const rows = await store.wrappedOtherwise(first, limits.rewrapBatch_keys);
    if (rows.length === 0) return count;
    for (const row of rows) {
      const to = rewrapKey(row, masterKeys);
      // Whoever was faster has saved the password again, and wrapped it with a key of now.
      if (await store.rewrap({ id: row.id, from: row.wrappedKey, to, masterKey: wrappedWith(to) })) count++;
    }
  }
}
