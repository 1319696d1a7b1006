// Where the OpenAPI files say less than the specification's text does, or cannot say what it says, this table adds it.
// Each entry names the schema that it changes, and the text that it follows. Two more rules of this kind are general and
// stand in the code: the keys of a map follow their `x-pattern-format` (documents.ts), and every error but the challenge
// of user-interactive authentication is a standard error (checker.ts).

import { atPointer, isObject, type JsonObject } from "./json.ts";

type Amendment = { file: string; pointer: string; why: string; change: (schema: JsonObject) => void };

const syncBody = "/paths/~1sync/get/responses/200/content/application~1json/schema";
const syncFile = "api/client-server/sync.yaml";
const userIds = { type: "array", items: { type: "string", format: "mx-user-id" } };

/** The changes, in the order in which they are made. */
export const amendments: Amendment[] = [
  ...["/paths/~1room_keys~1version", "/paths/~1room_keys~1version~1{version}"].map((path) => ({
    file: "api/client-server/key_backup.yaml",
    pointer: `${path}/get/responses/200/content/application~1json/schema/properties/algorithm`,
    why: "the algorithm is the client's choice ('Backup algorithms': 'the algorithm property'), and a server gives back what it was given",
    change: (schema: JsonObject) => {
      delete schema.enum;
    },
  })),
  {
    file: "api/client-server/definitions/errors/error.yaml",
    pointer: "",
    why: "'the keys error and errcode MUST always be present' (Standard error response); the schema asks for errcode only",
    change: (schema) => {
      schema.required = ["errcode", "error"];
    },
  },
  {
    file: syncFile,
    pointer: `${syncBody}/properties/to_device`,
    why: "the schema leaves the object open; the table of 'Send-to-Device messaging, Extensions to /sync' lists its fields",
    change: (schema) => {
      const properties = {
        type: { type: "string" },
        sender: { type: "string", format: "mx-user-id" },
        content: { type: "object" },
      };
      const items = { type: "object", required: ["type", "sender", "content"], properties };
      schema.properties = { events: { type: "array", items } };
    },
  },
  {
    file: syncFile,
    pointer: `${syncBody}/properties/device_lists`,
    why: "the schema leaves the object open; the table of 'End-to-end encryption, Extensions to /sync' lists its fields",
    change: (schema) => {
      schema.properties = { changed: userIds, left: userIds };
    },
  },
  {
    file: syncFile,
    pointer: syncBody,
    why: "'device_unused_fallback_key_types: Required' (End-to-end encryption, Extensions to /sync); not in the schema",
    change: (schema) => {
      schema.required = ["next_batch", "device_unused_fallback_key_types"];
      if (!isObject(schema.properties)) throw new Error("the schema of /sync has no properties");
      schema.properties.device_unused_fallback_key_types = { type: "array", items: { type: "string" } };
    },
  },
  {
    file: "api/client-server/rooms.yaml",
    pointer:
      "/paths/~1rooms~1{roomId}~1state~1{eventType}~1{stateKey}/get/responses/200/content/application~1json/schema",
    why: "'the content of the state event, or the entire client-formatted event': an event is an object too, so oneOf fits none",
    change: (schema) => {
      schema.anyOf = schema.oneOf ?? [];
      delete schema.oneOf;
    },
  },
  ...["display_name", "avatar_url"].map((name) => ({
    file: "api/client-server/rooms.yaml",
    pointer: `/paths/~1rooms~1{roomId}~1joined_members/get/responses/200/content/application~1json/schema/properties/joined/patternProperties/^@/properties/${name}`,
    why: "the schema says nothing of those who have none; servers answer null for them, and clients and suites require the member",
    change: (schema: JsonObject) => {
      schema.type = ["string", "null"];
    },
  })),
  {
    file: "api/client-server/old_sync.yaml",
    pointer: "/paths/~1events/get/responses/200/content/application~1json/schema/properties/chunk/items",
    why: "'These events can also be received in a /events response' (Client Config, Events): account data has neither id nor sender",
    change: (schema) => {
      schema.anyOf = [{ $ref: schema.$ref ?? "" }, { $ref: "../../event-schemas/schema/core-event-schema/event.yaml" }];
      delete schema.$ref;
    },
  },
  {
    file: "api/client-server/definitions/client_event_without_room_id.yaml",
    pointer: "/properties/unsigned/properties/redacted_because",
    why: "its title says ClientEventWithoutRoomID; the renderer of the specification cannot show a schema inside itself",
    change: (schema) => {
      schema.$ref = "client_event_without_room_id.yaml";
    },
  },
  {
    file: "api/client-server/definitions/client_event.yaml",
    pointer: "/allOf/1/properties/unsigned/properties/redacted_because",
    why: "its title says ClientEvent; the renderer of the specification cannot show a schema inside itself",
    change: (schema) => {
      schema.$ref = "client_event.yaml";
    },
  },
];

/** Makes the changes that concern `file` in its schema document. An entry that no longer fits the file is an error. */
export function amend(file: string, document: JsonObject): void {
  for (const amendment of amendments) {
    if (amendment.file !== file) continue;
    const schema = atPointer(document, amendment.pointer);
    if (!isObject(schema)) throw new Error(`${file}#${amendment.pointer} is not a schema`);
    amendment.change(schema);
  }
}
