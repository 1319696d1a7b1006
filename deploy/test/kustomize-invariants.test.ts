/** The rules that hold for every rendering, on the kustomizations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { invariants } from "./invariants.ts";
import { installations, objectsOf } from "./kustomizations.ts";
import { missingTools } from "./tools.ts";

const skip = missingTools;

/** Made in the cluster: by the Job of the overlay, by Kubernetes in each namespace, or by whoever installs. */
const given = [
  "postgres-credentials",
  "redis-credentials",
  "rabbitmq-credentials",
  "minio-credentials",
  "parley-db-serving",
  "backup-store",
  "kube-root-ca.crt",
];

/** Where the API server listens, which the Job that makes Secrets asks and no pod of Parley may reach. */
const apiServerPorts = [443, 6443, 8443, 16443];
const toApiServer = apiServerPorts.map((port) => `Job credentials: it may go out on port ${port}`);
/** Backups go to another store than the one of the uploads, which is in the cluster. */
const toBackups = ["backup", "restore", "restore-drill"].flatMap((name) => [
  `the policies do not allow CronJob ${name} -> StatefulSet minio:9000`,
  ...[443, 9000].map((port) => `CronJob ${name}: it may go out on port ${port}`),
]);
const exceptions = [...toApiServer, ...toBackups];

for (const { rule, check } of invariants)
  test(`in every installation: ${rule}`, { skip }, async () => {
    for (const name of Object.keys(installations)) {
      const found = check(await objectsOf(name), { given });
      assert.deepEqual(
        found.filter((each) => !exceptions.includes(each)),
        [],
        name,
      );
    }
  });

test("the exceptions are needed, and only the Job that makes Secrets gets to the API server", { skip }, async () => {
  const objects = await objectsOf("minikube");
  const found = invariants.flatMap(({ check }) => check(objects, { given }));
  assert.deepEqual(found.toSorted(), [...toApiServer].toSorted());
});
