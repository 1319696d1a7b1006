/** What can be done with saved connections: each is asked for with the dialog of all acts. */
import { call, pathOf } from "../../api.ts";
import type { Act, ActField, Values } from "../../parts/acts.ts";
import type { Connection, Trial } from "./shapes.ts";

const tlsOptions = [
  { value: "verify-full", label: "Checked", hint: "TLS, and the certificate must be the host's." },
  { value: "require", label: "Only encrypted", hint: "TLS with any certificate: somebody in between can read along." },
  {
    value: "disable",
    label: "None",
    hint: "Password and data go as they are: on this machine, or inside of a tunnel.",
  },
];

function fieldsFor(connection?: Connection): ActField[] {
  const { name = "", host = "", port = 5432, database = "", user = "", tls = "verify-full", ca } = connection ?? {};
  return [
    { name: "name", label: "Name", initial: name },
    { name: "host", label: "Host", hint: "It must be allowed by PARLEY_EXPLORER_HOSTS.", initial: host },
    { name: "port", label: "Port", kind: "number", initial: String(port) },
    { name: "database", label: "Database", initial: database },
    { name: "user", label: "User", hint: "One that may only read is enough.", initial: user },
    {
      name: "password",
      label: "Password",
      kind: "password",
      hint: connection
        ? "Empty: it stays. It is given again where the connection goes elsewhere."
        : "Kept encrypted, and shown to nobody.",
      isOptional: connection !== undefined,
    },
    { name: "tls", label: "TLS", options: tlsOptions, initial: tls },
    { name: "ca", label: "CA certificate (PEM)", kind: "area", initial: ca ?? "", isOptional: true },
  ];
}

function bodyOf({ password, ca, port, reason: _, ...fields }: Values) {
  return { ...fields, port: Number(port), ...(password ? { password } : {}), ...(ca ? { ca } : {}) };
}

function sayTrial(trial: Trial): string {
  if (!trial.ok) return `It does not connect: ${trial.error}`;
  return `It connects: PostgreSQL ${trial.server_version} with AGE ${trial.age_version}, graphs: ${trial.graphs}.`;
}

/** Tries it first: what does not connect is not saved without a word. */
export function addConnection(onAdded: (id: string) => void): Act<Connection> {
  return {
    title: "Add a connection",
    consequence: "It is yours alone: nobody else sees it or connects with it.",
    label: "Try and save",
    fields: fieldsFor(),
    async run(values) {
      const trial = await call<Trial>("/explorer/try", { method: "POST", body: bodyOf(values) });
      // A database without AGE may get it; everything else is a mistake in the fields.
      if (!trial.ok && trial.reason !== "no_age") throw new Error(trial.error);
      const saved = await call<Connection>("/explorer/connections", { method: "POST", body: bodyOf(values) });
      onAdded(saved.id);
      return saved;
    },
    says: ({ name }) => `${name} is saved.`,
  };
}

export function changeConnection(connection: Connection): Act<Connection> {
  return {
    title: `Change ${connection.name}`,
    label: "Save",
    fields: fieldsFor(connection),
    run: (values) => call(pathOf`/explorer/connections/${connection.id}`, { method: "PUT", body: bodyOf(values) }),
    done: `${connection.name} is changed.`,
  };
}

export function tryConnection({ id, name }: Connection): Act<Trial> {
  return {
    title: `Try ${name}`,
    consequence: "Connects, and says what is there.",
    label: "Try",
    async run() {
      const trial = await call<Trial>(pathOf`/explorer/connections/${id}/test`, { method: "POST" });
      if (!trial.ok) throw new Error(sayTrial(trial));
      return trial;
    },
    says: sayTrial,
  };
}

export function removeConnection({ id, name }: Connection, onRemoved: () => void): Act {
  return {
    title: `Remove ${name}?`,
    consequence: "The connection and its password are forgotten. The database itself is not touched.",
    label: "Remove",
    isDangerous: true,
    async run() {
      await call(pathOf`/explorer/connections/${id}`, { method: "DELETE" });
      onRemoved();
    },
    done: `${name} is removed.`,
  };
}
