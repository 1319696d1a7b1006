/**
 * Secrets as files of a folder: a mounted Kubernetes Secret, Docker's /run/secrets, what a CSI driver or an agent writes. Kubernetes
 * exchanges all files of a mount at once, by the link `..data`; a look at a moment sees the old ones or the new ones.
 */
import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Provider } from "./secrets.ts";

export function filesProvider(folder: string): Provider {
  const root = resolve(folder);
  return {
    name: `the folder ${root}`,
    async read(name) {
      const path = resolve(root, name);
      if (!path.startsWith(root + sep)) throw new Error("the name leads out of the folder");
      try {
        return await readFile(path, "utf8");
      } catch (thrown) {
        const { code } = thrown as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw thrown;
      }
    },
    onChange(changed) {
      // Where the system can not watch (some network file systems), the look every SECRETS_REFRESH_S is all there is.
      let watcher: FSWatcher | undefined;
      try {
        watcher = watch(root, { persistent: false }, () => changed()).on("error", () => {});
      } catch {
        // As said.
      }
      return () => watcher?.close();
    },
  };
}
