/** What directories find out before they begin: what is spoken here, and what a person is. RFC 7643, sections 5 to 7; RFC 7644, section 4. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";
import { limits } from "../limits.ts";
import { answer, refused, scimRoute } from "./answer.ts";
import { listResponse, locationOf, USER } from "./resource.ts";

const CORE = "urn:ietf:params:scim:schemas:core:2.0:";

function providerConfig(ctx: Context): object {
  return {
    schemas: [`${CORE}ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: limits.scimPage_people },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A token that an owner of the server makes in its console, or with `parley scim token create`.",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: locationOf(ctx, "/ServiceProviderConfig") },
  };
}

function userType(ctx: Context): object {
  return {
    schemas: [`${CORE}ResourceType`],
    id: "User",
    name: "User",
    endpoint: "/Users",
    description: "People with an account",
    schema: USER,
    meta: { resourceType: "ResourceType", location: locationOf(ctx, "/ResourceTypes/User") },
  };
}

interface Attribute {
  name: string;
  description: string;
  type?: "string" | "boolean" | "complex";
  required?: boolean;
  multiValued?: boolean;
  caseExact?: boolean;
  uniqueness?: "none" | "server";
  subAttributes?: readonly object[];
}

/** With what holds for nearly all of them. */
function attribute({ name, description, type = "string", ...others }: Attribute): object {
  const ofText = type === "string" ? { caseExact: false, uniqueness: "none" } : {};
  const common = { multiValued: false, required: false, mutability: "readWrite", returned: "default" };
  return { name, type, description, ...common, ...ofText, ...others };
}

const texts = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([name, description]) => attribute({ name, description }));

const userAttributes = [
  attribute({
    name: "userName",
    description: "The user id is made of its first part when the account is made, and stays.",
    required: true,
    uniqueness: "server",
  }),
  attribute({
    name: "name",
    description: "What others see where there is no displayName.",
    type: "complex",
    subAttributes: texts({
      formatted: "The whole name",
      familyName: "The family name",
      givenName: "The given name",
      middleName: "The middle name",
      honorificPrefix: "A title before the name",
      honorificSuffix: "A title after the name",
    }),
  }),
  attribute({ name: "displayName", description: "The name that others see." }),
  attribute({
    name: "emails",
    description: "Confirmed addresses of the account: each is of one account only.",
    type: "complex",
    multiValued: true,
    subAttributes: [
      ...texts({ value: "The address", display: "How it is shown", type: "work, home or other" }),
      attribute({ name: "primary", description: "Whether it is the first one", type: "boolean" }),
    ],
  }),
  attribute({
    name: "active",
    description: "false: the account's sessions have ended, and nobody signs in to it.",
    type: "boolean",
  }),
  attribute({
    name: "externalId",
    description: "What the directory calls the person.",
    caseExact: true,
    uniqueness: "server",
  }),
];

function userSchema(ctx: Context): object {
  return {
    schemas: [`${CORE}Schema`],
    id: USER,
    name: "User",
    description: "A person with an account",
    attributes: userAttributes,
    meta: { resourceType: "Schema", location: locationOf(ctx, `/Schemas/${USER}`) },
  };
}

/** All of a kind, of which there is one. */
const listed = (resource: object) => answer(listResponse({ resources: [resource], total: 1, startIndex: 1 }));

const get = (path: string, of: (ctx: Context) => object) =>
  scimRoute({ method: "GET", path, handle: (_asked, ctx) => answer(of(ctx)) });

const getOne = (path: string, of: (ctx: Context) => object, id: string) =>
  scimRoute({
    method: "GET",
    path: `${path}/:id`,
    handle({ params }, ctx) {
      if (params["id"]?.toLowerCase() !== id.toLowerCase())
        throw refused(404, undefined, "There is no such thing here.");
      return answer(of(ctx));
    },
  });

/**
 * There are no groups. Okta and others read their list all the same when they are set up, and Entra ID looks for one of a random name:
 * an empty list lets them go on. To make one is refused with a sentence.
 */
const noGroups = [
  scimRoute({
    method: "GET",
    path: "/Groups",
    handle: () => answer(listResponse({ resources: [], total: 0, startIndex: 1 })),
  }),
  scimRoute({
    method: "POST",
    path: "/Groups",
    isRefusal: true,
    handle() {
      throw refused(501, undefined, "There are no groups here. Provision people alone.");
    },
  }),
];

export const discoveryRoutes: readonly Route[] = [
  get("/ServiceProviderConfig", providerConfig),
  scimRoute({ method: "GET", path: "/ResourceTypes", handle: (_asked, ctx) => listed(userType(ctx)) }),
  getOne("/ResourceTypes", userType, "User"),
  scimRoute({ method: "GET", path: "/Schemas", handle: (_asked, ctx) => listed(userSchema(ctx)) }),
  getOne("/Schemas", userSchema, USER),
  ...noGroups,
];
