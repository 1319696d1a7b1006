/** Addresses of e-mail. */
import { limits } from "../../limits.ts";

/** One @, no spaces, no list, and a domain that can be one: whether there is somebody only a mail can tell. */
const ADDRESS = /^[^\s@,;:<>"()[\]\\]{1,64}@[^\s@,;:<>"()[\]\\.][^\s@,;:<>"()[\]\\]*$/u;

/**
 * The address in the form in which two that are the same are equal. Specification: client-server-api, "Adding account
 * administrative contact information": addresses are compared case-folded. Undefined for what is no address.
 */
export function foldAddress(given: string): string | undefined {
  const address = given.trim().normalize("NFC").toLowerCase();
  const isOne = address.length <= limits.emailAddress_characters && ADDRESS.test(address);
  // oxlint-disable-next-line no-control-regex -- none belongs into a mail's header, or into the database
  return isOne && !/[\u0000-\u001f\u007f]/.test(address) ? address : undefined;
}
