/**
 * To-device messages leave one after the other.
 *
 * The SDK sends some of them side by side, over connections of their own, and the later one may arrive first. A verification in
 * which "done" overtakes the proof before it never ends.
 */

const TO_DEVICE = "/sendToDevice/";

/** A `fetch` that begins each to-device message when the one before it is answered, or has failed. */
export function inOrder(base: typeof fetch): typeof fetch {
  let last: Promise<unknown> = Promise.resolve();
  return (resource, init) => {
    const address = resource instanceof Request ? resource.url : String(resource);
    if (!address.includes(TO_DEVICE)) return base(resource, init);
    const answer = last.then(() => base(resource, init));
    last = answer.catch(() => undefined);
    return answer;
  };
}
