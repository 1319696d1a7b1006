/** All that the server has of a person. */
import { sections as account } from "../account/for-export.ts";
import { sections as auth } from "../auth/for-export.ts";
import { sections as directory } from "../directory/for-export.ts";
import { sections as keys } from "../keys/for-export.ts";
import { sections as media } from "../media/for-export.ts";
import { sections as messages } from "../messages/for-export.ts";
import { sections as push } from "../push/for-export.ts";
import { sections as scim } from "../scim/for-export.ts";
import type { Section } from "./section.ts";

export const sections: readonly Section[] = [
  ...auth,
  ...account,
  ...keys,
  ...directory,
  ...messages,
  ...media,
  ...push,
  ...scim,
];
