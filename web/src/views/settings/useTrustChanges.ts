import type { MatrixClient } from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/CryptoEvent.js";
import { useEffect } from "react";

/** Calls back when the own devices, or the trust in them, have changed. */
export function useTrustChanges(client: MatrixClient, onChange: () => void): void {
  useEffect(() => {
    const own = (userIds: string[]) => userIds.includes(client.getSafeUserId()) && onChange();
    client.on(CryptoEvent.DevicesUpdated, own);
    client.on(CryptoEvent.KeysChanged, onChange);
    return () => {
      client.off(CryptoEvent.DevicesUpdated, own);
      client.off(CryptoEvent.KeysChanged, onChange);
    };
  }, [client, onChange]);
}
