/** Everything that the server has of a person, gathered for them. The server's own endpoint: docs/operations/persons.md. */
import { type MatrixClient, Method } from "matrix-js-sdk";

export interface Export {
  export_id: number;
  state: "making" | "ready" | "failed";
  created_ts: number;
  created_by: string;
  expires_ts: number | null;
  records: number;
}

const prefix = "/_parley/client/v1";

/** Those that are kept, the newest first. */
export async function loadExports(client: MatrixClient): Promise<readonly Export[]> {
  const answer = await client.http.authedRequest<{ exports: Export[] }>(Method.Get, "/exports", undefined, undefined, {
    prefix,
  });
  return answer.exports;
}

/** Throws M_LIMIT_EXCEEDED while another one is made. */
export async function beginExport(client: MatrixClient): Promise<void> {
  await client.http.authedRequest(Method.Post, "/exports", undefined, {}, { prefix });
}

/** The archive, as a file. */
export async function fetchExport(client: MatrixClient, { export_id }: Pick<Export, "export_id">): Promise<Blob> {
  const url = client.http.getUrl(`/exports/${export_id}/archive`, undefined, prefix);
  const answer = await client.http.fetch(url, { headers: { authorization: `Bearer ${client.getAccessToken()}` } });
  if (!answer.ok) throw new Error(`The archive could not be fetched (${answer.status}).`);
  return answer.blob();
}
