/** A file's record as the operator API tells of it (server/src/media/operations.ts). */
export interface Medium {
  media_id: string;
  user_id: string;
  created_ts: number;
  size_bytes: number;
  content_type: string;
  quarantined: boolean;
  protected: boolean;
}
