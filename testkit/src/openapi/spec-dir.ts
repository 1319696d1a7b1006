// Where the Matrix specification lies on this machine. The repository does not carry a copy of it: a checkout of
// matrix-org/matrix-spec is named by MATRIX_SPEC_DIR, or stands beside the repository as ../shared/matrix-spec.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const repositoryDir = resolve(import.meta.dirname, "../../..");

/** What a test context must offer to be skipped; `node:test`'s `TestContext` does. */
export type Skippable = { skip(message?: string): void };

/**
 * The directory of the Matrix specification (it holds `data/api/client-server`), or undefined where there is none.
 * A MATRIX_SPEC_DIR that does not hold the specification is an error, never a silent skip.
 */
export function specDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env.MATRIX_SPEC_DIR;
  if (named !== undefined && named !== "") {
    if (holdsSpec(named)) return resolve(named);
    throw new Error(`MATRIX_SPEC_DIR is ${named}, but there is no data/api/client-server in it.`);
  }
  for (let dir = repositoryDir; dirname(dir) !== dir; dir = dirname(dir)) {
    const candidate = join(dirname(dir), "shared", "matrix-spec");
    if (holdsSpec(candidate)) return candidate;
  }
  return undefined;
}

/** As `specDir`; where there is no specification the test counts as skipped and says so on stderr. */
export function specOrSkip(test: Skippable): string | undefined {
  const dir = specDir();
  if (dir === undefined) {
    const reason = "no Matrix specification found: set MATRIX_SPEC_DIR to a checkout of matrix-org/matrix-spec";
    process.stderr.write(`SKIPPED, ${reason}\n`);
    test.skip(reason);
  }
  return dir;
}

function holdsSpec(dir: string): boolean {
  return existsSync(join(dir, "data", "api", "client-server"));
}
