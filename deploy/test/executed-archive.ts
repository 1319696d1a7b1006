/** What somebody uploaded is in the archive that they fetch of themselves, wherever the process that makes it runs. */
import assert from "node:assert/strict";
import { type Person, request } from "../../testkit/src/http.ts";
import { until } from "./until.ts";
import { readZip } from "./zip.ts";

const EXPORTS = "/_parley/client/v1/exports";

/** `url` is that of the workload with the role web. Throws where the archive does not have exactly these files. */
export async function archivesFiles(url: string, { token }: Person, files: readonly string[]): Promise<void> {
  const { export_id } = (await request(url, "POST", EXPORTS, { token, body: {} })).body;
  const isReady = async () => {
    const { exports } = (await request(url, "GET", EXPORTS, { token })).body;
    return exports[0]?.export_id === export_id && exports[0].state === "ready";
  };
  await until("the export is made", isReady, { deadline_ms: 60_000, period_ms: 500 });
  const { status, body } = await request(url, "GET", `${EXPORTS}/${export_id}/archive`, { token });
  assert.equal(status, 200, JSON.stringify(body));
  const media = [...readZip(body as Buffer)].filter(([name]) => name.startsWith("media/"));
  assert.deepEqual(media.map(([, read]) => `${read()}`).toSorted(), files.toSorted());
}
