// For those who may not depend on the server themselves.
export { atEndOfProcess } from "../../server/src/db/embedded/at-end.ts";
