/** What every way to a new account may be refused with at its last step. */
import { matrixError } from "../errors.ts";

export function nameIsTaken() {
  return matrixError("M_USER_IN_USE", "This user name is taken.");
}

export function tokenIsUsedUp() {
  return matrixError("M_FORBIDDEN", "This registration token was used up meanwhile.");
}
