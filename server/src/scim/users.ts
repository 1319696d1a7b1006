/** People: found, made, changed and ended. RFC 7644, sections 3.3 to 3.6. */
import type { Context } from "../context.ts";
import type { Answer, Route } from "../http.ts";
import { limits } from "../limits.ts";
import { changePerson, createPerson, removePerson } from "./acts.ts";
import { answer, type Asked, noContent, refused, scimRoute } from "./answer.ts";
import { attributes, type Described, type Draft, pick, readDescribed } from "./described.ts";
import { readFilter } from "./filter.ts";
import { patched, readOperations } from "./patch.ts";
import { findPerson, listPeople, type Person, readById } from "./people.ts";
import { listResponse, resourceOf } from "./resource.ts";

const ALL = "/Users";
const ONE = "/Users/:id";

const listUsers = scimRoute({
  method: "GET",
  path: ALL,
  async handle({ query }, ctx) {
    const startIndex = Math.max(1, numberIn(query, "startIndex", 1));
    const asked = Math.max(0, numberIn(query, "count", limits.scimDefaultPage_people));
    const page = { skip: startIndex - 1, count: Math.min(asked, limits.scimPage_people) };
    const { people, total } = await found(ctx, query["filter"], page);
    const resources = people.map((person) => resourceOf(ctx, person, query));
    return answer(listResponse({ resources, total, startIndex }));
  },
});

async function found(ctx: Context, filter: string | undefined, page: { skip: number; count: number }) {
  if (filter === undefined) return listPeople(ctx, page);
  const person = await findPerson(ctx, readFilter(filter));
  const all = person ? [person] : [];
  return { people: all.slice(page.skip, page.skip + page.count), total: all.length };
}

function numberIn(query: Record<string, string>, name: string, otherwise: number): number {
  const text = query[name];
  if (text === undefined || text === "") return otherwise;
  if (!/^[+-]?\d{1,9}$/.test(text)) throw refused(400, "invalidValue", `"${name}" is no whole number.`);
  return Number(text);
}

const createUser = scimRoute({
  method: "POST",
  path: ALL,
  async handle(asked, ctx) {
    const { active, ...others } = pick(await asked.body(), attributes);
    const person = await createPerson(ctx, asked, readDescribed({ ...others, active: active ?? true }));
    const resource = resourceOf(ctx, person, asked.query);
    const { location } = resourceOf(ctx, person)["meta"] as { location: string };
    return answer(resource, { status: 201, location });
  },
});

/** Throws 404. */
async function personIn(ctx: Context, { params }: Asked): Promise<Person> {
  const person = await readById(ctx, params["id"] as string);
  if (!person) throw refused(404, undefined, "There is no such account, or it has ended.");
  return person;
}

const readUser = scimRoute({
  method: "GET",
  path: ONE,
  handle: async (asked, ctx) => answer(resourceOf(ctx, await personIn(ctx, asked), asked.query)),
});

/** What is said of the person by now. What Parley knows of an account from before is not said by the directory. */
function draftOf({ userName, externalId, displayName, name, emails, active, isAdopted }: Person): Draft {
  return isAdopted ? { userName, externalId, displayName, name, emails, active } : { userName, active };
}

/** What a PUT leaves out stays: RFC 7644, section 3.5.1, lets the server decide, and Okta leaves out its own id. */
const replaceUser = scimRoute({
  method: "PUT",
  path: ONE,
  async handle(asked, ctx) {
    const sent = pick(await asked.body(), attributes);
    // Whether the person may come in is never undecided.
    const { active, ...others } = sent;
    const said = active === null ? others : sent;
    return change(ctx, asked, (person) => readDescribed({ ...draftOf(person), ...said }));
  },
});

const patchUser = scimRoute({
  method: "PATCH",
  path: ONE,
  async handle(asked, ctx) {
    const operations = readOperations(await asked.body());
    return change(ctx, asked, (person) => readDescribed(patched(draftOf(person), operations)));
  },
});

async function change(ctx: Context, asked: Asked, describe: (person: Person) => Described): Promise<Answer> {
  const person = await changePerson(ctx, asked, { person: await personIn(ctx, asked), describe });
  return answer(resourceOf(ctx, person, asked.query));
}

const deleteUser = scimRoute({
  method: "DELETE",
  path: ONE,
  async handle(asked, ctx) {
    await removePerson(ctx, asked, await personIn(ctx, asked));
    return noContent();
  },
});

export const userRoutes: readonly Route[] = [listUsers, createUser, readUser, replaceUser, patchUser, deleteUser];
