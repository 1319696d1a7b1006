/** Settings in parts, and several in one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../config.ts";

const database = { DB_HOST: "db", DB_NAME: "parley", DB_USER: "parley" };

test("the parts of a database's address make the address, whatever is in them", () => {
  const url = (env: Record<string, string>) => readConfig({ ...database, ...env }).databaseUrl;
  assert.equal(url({}), "postgres://parley@db:5432/parley");
  assert.equal(url({ DB_PORT: "5433", DB_PASSWORD: "secret" }), "postgres://parley:secret@db:5433/parley");
  assert.equal(url({ DB_HOST: "fd00::1" }), "postgres://parley@[fd00::1]:5432/parley");
  const { username, password, pathname } = new URL(
    url({ DB_USER: "a@b", DB_PASSWORD: "p/:@?#%", DB_NAME: "x y" }) ?? "",
  );
  assert.deepEqual([username, password, pathname].map(decodeURIComponent), ["a@b", "p/:@?#%", "/x y"]);
});

test("what goes with a database of one's own goes with its parts too", () => {
  const { bus, ephemeral, databaseOwnerUrl } = readConfig({
    ...database,
    DATABASE_OWNER_URL: "postgres://owner@db/parley",
  });
  assert.deepEqual([bus, ephemeral, databaseOwnerUrl], ["postgresql", "postgresql", "postgres://owner@db/parley"]);
});

test("a database that is named in half, or twice, stops the start", () => {
  assert.throws(
    () => readConfig({ DB_PASSWORD: "hunter2" }),
    /^StartError: DB_PASSWORD needs DB_HOST, which is not set: set it/,
  );
  assert.throws(() => readConfig({ DB_HOST: "db", DB_USER: "parley" }), /DB_HOST needs DB_NAME/);
  assert.throws(
    () => readConfig({ ...database, DATABASE_URL: "postgres://db/b" }),
    /DATABASE_URL and DB_HOST both say where/,
  );
});

test("an address to listen on has host and port in it", () => {
  const at = (env: Record<string, string>) => {
    const { host, port } = readConfig(env);
    return [host, port];
  };
  assert.deepEqual(at({ ADDR: ":8082" }), ["0.0.0.0", 8082]);
  assert.deepEqual(at({ MESSAGES_ADDR: ":8084" }), ["0.0.0.0", 8084]);
  assert.deepEqual(at({ ADDR: ":8082", PARLEY_HOST: "10.0.0.7" }), ["10.0.0.7", 8082]);
  assert.deepEqual(at({ ADDR: "127.0.0.1:8082", PARLEY_PORT: "8082" }), ["127.0.0.1", 8082]);
  assert.deepEqual(at({ ADDR: "[::]:8082" }), ["::", 8082]);
  assert.throws(
    () => at({ ADDR: ":8082", PARLEY_PORT: "8083" }),
    /ADDR and PARLEY_PORT both say where to listen, and differ/,
  );
});
