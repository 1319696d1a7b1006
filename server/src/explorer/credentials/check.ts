/** What both adapters refuse alike. */
import { matrixError, type MatrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";

export function tooManyConnections(): MatrixError {
  return matrixError(
    "M_RESOURCE_LIMIT_EXCEEDED",
    `You have ${limits.explorerConnections} saved connections, which is the most: remove one first.`,
  );
}
