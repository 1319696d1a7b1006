// People with an operator's role.

import type { OperatorRole } from "../../server/src/console/operation.ts";
import { type Person, registerPerson } from "./http.ts";
import type { TestServer } from "./server.ts";

/** Registers somebody and makes them an administrator of the server, and so an owner. */
export async function makeAdministrator(server: Pick<TestServer, "url" | "ctx">, name: string): Promise<Person> {
  const person = await registerPerson(server.url, name);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true where user_id = $1", [person.userId]);
  return person;
}

/** Registers somebody and gives them a role of operators. */
export async function makeOperator(
  server: Pick<TestServer, "url" | "ctx">,
  name: string,
  role: OperatorRole,
): Promise<Person> {
  const person = await registerPerson(server.url, name);
  await server.ctx.db.console.change("insert into console.operators (user_id, role) values ($1, $2)", [
    person.userId,
    role,
  ]);
  return person;
}
