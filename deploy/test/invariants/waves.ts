/** Rules for who applies in waves and waits for each to be healthy, as Argo CD does. */
import type { KubernetesObject } from "../schema.ts";
import { ofKind, podsIn, titleOf } from "./objects.ts";

const WAVE = "argocd.argoproj.io/sync-wave";

function waveOf({ metadata }: KubernetesObject): number {
  return Number(metadata.annotations?.[WAVE] ?? 0);
}

/**
 * Many storage classes bind a claim when its first pod comes (WaitForFirstConsumer), and until then it is not healthy: in a wave
 * before its pods it would be waited for for ever, and its pods in a wave before it. Pods of a CronJob come at some time: a claim
 * of theirs alone is of the last wave, after which nothing waits.
 */
export function unboundClaims(objects: readonly KubernetesObject[]): string[] {
  const last = Math.max(...objects.map(waveOf));
  const owners = podsIn(objects).filter(({ owner }) => owner.kind !== "CronJob");
  return ofKind(objects, "PersistentVolumeClaim").flatMap((claim) => {
    const mounting = owners.filter(({ spec: { volumes = [] } }) =>
      volumes.some(({ persistentVolumeClaim: each }) => each?.claimName === claim.metadata.name),
    );
    const first = Math.min(last, ...mounting.map(({ owner }) => waveOf(owner)));
    if (waveOf(claim) === first) return [];
    return [`${titleOf(claim)} is of wave ${waveOf(claim)}, and the first pod that binds it of wave ${first}`];
  });
}
