import type { MatrixClient } from "matrix-js-sdk";
import { useCallback, useEffect } from "react";
import { beginExport, type Export, fetchExport, loadExports } from "../../models/session/exports.ts";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import { saveBlob } from "../recovery/saveTextFile.ts";
import { Loading } from "./Loading.tsx";
import { useLoaded } from "./useLoaded.ts";
import styles from "./ProfileTab.module.css";

const LOOK_MS = 2_000;
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

/** Everything that the server has of the person, gathered and fetched. */
export function ExportForm({ client }: { client: MatrixClient }) {
  const exports = useLoaded(useCallback(() => loadExports(client), [client]));
  const isMaking = exports.value?.some(({ state }) => state === "making") ?? false;
  const { reload } = exports;
  useEffect(() => {
    if (!isMaking) return;
    const timer = setInterval(reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [isMaking, reload]);
  const { busy, failure, submit } = useSubmit("other", async () => {
    await beginExport(client);
    reload();
  });
  return (
    <form className={styles.narrow} onSubmit={submit}>
      <Loading loaded={exports}>
        {(all) => (
          <>
            {all.map((each) => (
              <Line key={each.export_id} client={client} made={each} />
            ))}
          </>
        )}
      </Loading>
      {failure && <Notice tone="danger">{failure.text}</Notice>}
      <div>
        <Button type="submit" busy={busy} isDisabled={isMaking}>
          Gather my data
        </Button>
      </div>
    </form>
  );
}

function Line({ client, made }: { client: MatrixClient; made: Export }) {
  const { busy, failure, submit } = useSubmit("other", async () =>
    saveBlob(`export-${made.export_id}.zip`, await fetchExport(client, made)),
  );
  const by = made.created_by === client.getSafeUserId() ? "" : `, asked for by ${made.created_by}`;
  if (made.state === "making")
    return <Spinner label={`Your data are being gathered: ${made.records} records so far`} />;
  if (made.state === "failed")
    return <Notice tone="danger">Gathering your data on {day.format(made.created_ts)} failed.</Notice>;
  const button = (
    <Button size="compact" busy={busy} onPress={() => submit()}>
      Download
    </Button>
  );
  return (
    <>
      <Notice action={button}>
        Gathered {day.format(made.created_ts)}
        {by}. {made.records} records and your files
        {made.expires_ts === null ? "" : `, kept until ${day.format(made.expires_ts)}`}.
      </Notice>
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </>
  );
}
