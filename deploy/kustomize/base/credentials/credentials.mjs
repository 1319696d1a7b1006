// Creates Secrets with random passwords in the namespace that it runs in, and leaves those alone that are there. Which ones the
// variable SECRETS says: by Secret, key and value, where null is a new password and {key} one of the same Secret.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

const FOLDER = process.env.CREDENTIALS_FOLDER ?? "/run/secrets/kubernetes";
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, SECRETS = "{}" } = process.env;
const read = async (/** @type {string} */ name) => (await readFile(`${FOLDER}/${name}`, "utf8")).trim();

/**
 * The values with their passwords.
 *
 * @param {Record<string, string | null>} wanted
 * @returns {Record<string, string>}
 */
function fill(wanted) {
  const passwords = Object.entries(wanted).filter(([, value]) => value === null);
  // 192 bits, of letters and digits that a URL and a shell take as they are.
  const made = Object.fromEntries(passwords.map(([key]) => [key, randomBytes(24).toString("hex")]));
  const put = (/** @type {string} */ text) =>
    text.replaceAll(/\{([\w.-]+)\}/g, (all, key) => made[key] ?? wanted[key] ?? all);
  return Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => [key, value === null ? made[key] : put(value)]),
  );
}

/**
 * @param {string} name
 * @param {Record<string, string | null>} wanted
 */
async function create(name, wanted) {
  const address = host?.includes(":") ? `[${host}]` : host;
  const url = `https://${address}:${port}/api/v1/namespaces/${await read("namespace")}/secrets`;
  // As CloudNativePG wants the password of a role, which it sets again when the Secret changes.
  const isLogin = "username" in wanted && "password" in wanted;
  const labels = { "app.kubernetes.io/part-of": "parley", ...(isLogin ? { "cnpg.io/reload": "true" } : {}) };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, labels },
    type: isLogin ? "kubernetes.io/basic-auth" : "Opaque",
    stringData: fill(wanted),
  };
  const headers = { authorization: `Bearer ${await read("token")}`, "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(secret) });
  if (answer.status === 409) return console.log(`${name} is there and stays as it is`);
  // Never its body: an API server repeats what it refuses.
  if (!answer.ok) throw new Error(`${name} could not be created: the API server answers ${answer.status}`);
  console.log(`${name} was created`);
}

for (const [name, wanted] of Object.entries(JSON.parse(SECRETS))) await create(name, wanted);
