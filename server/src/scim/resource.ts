/** A person as a SCIM resource. RFC 7643, section 4.1; what is asked for of it: RFC 7644, section 3.9. */
import type { Context } from "../context.ts";
import { SCIM } from "./answer.ts";
import { idOf, type Person } from "./people.ts";

export const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

export function locationOf(ctx: Context, path: string): string {
  return `${ctx.publicUrl()}${SCIM}${path}`;
}

type Wanted = Record<string, string>;

/** `query` may say which members are wanted, or which are not. */
export function resourceOf(ctx: Context, person: Person, query: Wanted = {}): Record<string, unknown> {
  const { userId, userName, externalId, displayName, name, emails, active } = person;
  const id = idOf(userId);
  const whole = {
    schemas: [USER],
    id,
    externalId,
    userName,
    name,
    displayName,
    emails,
    active,
    meta: {
      resourceType: "User",
      created: new Date(person.created_ms).toISOString(),
      lastModified: new Date(person.changed_ms).toISOString(),
      location: locationOf(ctx, `/Users/${id}`),
    },
  };
  return wantedOf(whole, query);
}

function wantedOf(whole: Record<string, unknown>, query: Wanted): Record<string, unknown> {
  // Nobody minds all of "name" who asked for "name.givenName".
  const only = namesIn(query["attributes"]).map((name) => name.split(".")[0]);
  const without = namesIn(query["excludedAttributes"]);
  const isWanted = (name: string) =>
    name === "schemas" || name === "id" || (only.length > 0 ? only.includes(name) : !without.includes(name));
  return Object.fromEntries(Object.entries(whole).filter(([name]) => isWanted(name.toLowerCase())));
}

function namesIn(text = ""): string[] {
  const names = text.toLowerCase().split(",");
  return names.map((each) => each.trim().replace(`${USER.toLowerCase()}:`, "")).filter((name) => name !== "");
}

export interface Page {
  resources: readonly object[];
  total: number;
  startIndex: number;
}

export function listResponse({ resources, total, startIndex }: Page): object {
  return {
    schemas: [LIST],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}
