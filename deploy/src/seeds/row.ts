/**
 * The documents that the deployment follows say how five other installations are made; each of their statements is a row here,
 * with where Parley meets it, or with what it does instead and why. docs/operations/kubernetes.md has the rows as a table, and
 * deploy/test/seeds.test.ts looks whether what they name is there.
 */

/** Something in the repository that a row points to, and how it is found. */
export type Target =
  | { is: "file"; path: string; text?: string | undefined }
  | { is: "page"; path: string; heading: string }
  | { is: "setting"; name: string }
  | { is: "value"; key: string }
  | { is: "command"; name: string }
  /** An object of a rendering: an overlay, by its name in deploy/test/kustomizations.ts. */
  | { is: "object"; rendering: string; kind: string; name: string; fields: readonly Field[] };

/** A field of an object, as in spec.replicas, and what it is; without a value it has to be there. */
export interface Field {
  path: string;
  value?: string | number | boolean;
}

export interface Row {
  /** The heading below which it stands. */
  section: string;
  /** What it says, in few words, with the names that it uses. */
  statement: string;
  met: readonly Target[];
  /** Where Parley does something else: what, and why. */
  instead?: string | undefined;
}

export interface Seed {
  /** The name of its document. */
  name: string;
  /** What it describes. */
  title: string;
  rows: readonly Row[];
}

/** A row; the last argument only where something is replaced. */
export function row(section: string, statement: string, ...rest: readonly (Target | string)[]): Row {
  const met = rest.filter((each) => typeof each !== "string");
  const instead = rest.find((each) => typeof each === "string");
  return { section, statement, met, instead };
}

/** Rows below one heading. */
export function below(section: string, rows: readonly [statement: string, ...rest: (Target | string)[]][]): Row[] {
  return rows.map(([statement, ...rest]) => row(section, statement, ...rest));
}

export const file = (path: string, text?: string): Target => ({ is: "file", path, text });
export const page = (name: string, heading: string): Target => ({
  is: "page",
  path: `docs/operations/${name}.md`,
  heading,
});
export const setting = (name: string): Target => ({ is: "setting", name });
/** A key of the chart's values. */
export const value = (key: string): Target => ({ is: "value", key });
export const command = (name: string): Target => ({ is: "command", name });

/** What an overlay's objects are, by the words that rows use. */
export function overlay(rendering: string) {
  const object = (kindAndName: string, ...fields: readonly Field[]): Target => {
    const [kind = "", name = ""] = kindAndName.split("/");
    return { is: "object", rendering, kind, name, fields };
  };
  const pod = "spec.template.spec";
  const container = `${pod}.containers.0`;
  return {
    object,
    replicas: (name: string, count: number) => object(`Deployment/${name}`, { path: "spec.replicas", value: count }),
    /** A port of the first container. */
    port: (owner: string, port: number) => object(owner, { path: `${container}.ports.*.containerPort`, value: port }),
    service: (name: string, port: number, type = "ClusterIP") =>
      object(`Service/${name}`, { path: "spec.type", value: type }, { path: "spec.ports.*.port", value: port }),
    env: (owner: string, name: string, text?: string) =>
      object(
        owner,
        { path: `${container}.env.*.name`, value: name },
        ...(text === undefined ? [] : [{ path: `${container}.env.*.value`, value: text }]),
      ),
    image: (owner: string, image: string) => object(owner, { path: `${container}.image`, value: image }),
    probe: (owner: string, path: string) =>
      object(owner, { path: `${container}.readinessProbe.httpGet.path`, value: path }),
    claim: (owner: string, size: string) =>
      object(owner, { path: "spec.volumeClaimTemplates.*.spec.resources.requests.storage", value: size }),
    /** A path of the Ingress and the Service that it goes to. */
    path: (path: string, service: string) =>
      object(
        "Ingress/irc-ingress",
        { path: "spec.rules.*.http.paths.*.path", value: path },
        { path: "spec.rules.*.http.paths.*.backend.service.name", value: service },
      ),
    wave: (owner: string, wave: string) =>
      object(owner, { path: "metadata.annotations.argocd\\.argoproj\\.io/sync-wave", value: wave }),
    /** A key of a ConfigMap whose name has a hash behind it. */
    data: (map: string, key: string, text?: string) =>
      object(`ConfigMap/${map}*`, { path: `data.${key}`, ...(text === undefined ? {} : { value: text }) }),
    container,
    pod,
  };
}
