/** Where saved connections are kept. Two adapters, one suite (conformance.ts): postgresql.ts and json-file.ts. */

export const tlsModes = ["verify-full", "require", "disable"] as const;
/** As PostgreSQL calls them: the certificate and its name are checked, only encrypted, not even that. */
export type TlsMode = (typeof tlsModes)[number];

/** What a sealed password belongs to: changed in one place, it opens no more. */
export interface Identity {
  owner: string;
  id: string;
  host: string;
  port: number;
  database: string;
  user: string;
  tls: TlsMode;
  /** PEM. */
  ca: string | null;
}

export interface SavedConnection extends Identity {
  name: string;
  /** Grows with each change. */
  version: number;
  created_ts: number;
  wrappedKey: Buffer;
  /** The name of the master key that it is wrapped with. */
  masterKey: string;
  sealed: Buffer;
}

/** A data key that is wrapped anew; what it sealed stays. */
export interface Rewrapped {
  id: string;
  from: Buffer;
  to: Buffer;
  masterKey: string;
}

export interface CredentialStore {
  /** Those of one person, by name. */
  list(owner: string): Promise<SavedConnection[]>;
  /** Undefined where this person has none with this id, whoever else may. */
  get(owner: string, id: string): Promise<SavedConnection | undefined>;
  /** Adds one. Throws M_RESOURCE_LIMIT_EXCEEDED beyond `limits.explorerConnections` of one person. */
  add(connection: SavedConnection): Promise<void>;
  /** Replaces one where it is still of the version before; false where it is not. */
  replace(connection: SavedConnection): Promise<boolean>;
  /** False where this person has none with this id. */
  remove(owner: string, id: string): Promise<boolean>;
  /** Some that are not wrapped with this master key; none when a rotation is done. */
  wrappedOtherwise(masterKey: string, most: number): Promise<SavedConnection[]>;
  /** Changes the wrapped key where it still is `from`; false where somebody was faster, and the version stays. */
  rewrap(change: Rewrapped): Promise<boolean>;
  /** How many there are by the name of their master key. */
  byMasterKey(): Promise<ReadonlyMap<string, number>>;
}
