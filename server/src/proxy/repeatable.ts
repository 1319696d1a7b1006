/** Which requests may be asked a second time when nobody knows whether the first was heard. */

/** A PUT with a transaction id: the second answer is that of the first. Specification: "Transaction identifiers". */
const TRANSACTION =
  /^\/_matrix\/client\/[^/]+\/(rooms\/[^/]+\/(send\/[^/]+|redact\/[^/]+)|sendToDevice\/[^/]+)\/[^/]+$/;

/** Whether asking twice does the same as asking once. Setting state is not such a request: it would be two events. */
export function isRepeatable(method: string, path: string): boolean {
  return method === "GET" || method === "HEAD" || (method === "PUT" && TRANSACTION.test(path));
}
