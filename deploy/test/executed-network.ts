/**
 * The network of an executed release, all of it on loopback. A Service is a port of this machine behind which its ready pods take
 * turns, connection by connection, as kube-proxy does it. Whatever names a Service in a setting or a file is given that port.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { ServiceObject } from "./executed-manifests.ts";

/** Where something listens: a port of this machine, or the path of a socket. */
export type Endpoint = { port: number } | { path: string };

/** Whoever a Service may send connections to. */
export interface Backend {
  labels: Readonly<Record<string, string>>;
  /** Asked for each connection: whether it is ready and not about to end. */
  isReady(): boolean;
  /** By the number or the name of a container's port. */
  endpoint(port: number | string): Endpoint | undefined;
}

export interface Network extends AsyncDisposable {
  backends: Set<Backend>;
  addService(service: ServiceObject): Promise<void>;
  /** The text with `name:port` of each Service replaced by what is there instead. */
  localise(text: string): string;
  /** Such as http://127.0.0.1:40123. */
  urlOf(service: string, port?: number): string;
}

interface Door {
  server: Server;
  service: string;
  port: number;
  local: number;
}

export function openNetwork(namespace: string): Network {
  const doors: Door[] = [];
  const backends = new Set<Backend>();
  const addService = async ({ metadata, spec }: ServiceObject) => {
    for (const { port, targetPort = port } of spec.ports) {
      if (doors.some((door) => door.service === metadata.name && door.port === port)) continue;
      const server = await openDoor(() => choose(backends, spec.selector ?? {}, targetPort));
      doors.push({ server, service: metadata.name, port, local: (server.address() as AddressInfo).port });
    }
  };
  const find = (service: string, port?: number) => {
    const door = doors.find((each) => each.service === service && (port === undefined || each.port === port));
    if (!door) throw new Error(`there is no Service ${service}${port === undefined ? "" : ` with the port ${port}`}`);
    return door;
  };
  return {
    backends,
    addService,
    localise: (text) => doors.reduce((so, door) => replaceAddress(so, door, namespace), text),
    urlOf: (service, port) => `http://127.0.0.1:${find(service, port).local}`,
    async [Symbol.asyncDispose]() {
      for (const { server } of doors) server.close();
    },
  };
}

/** By its short name, and by those that the namespace and the cluster make of it. */
function replaceAddress(text: string, { service, port, local }: Door, namespace: string): string {
  const name = `${service}(?:\\.${namespace}(?:\\.svc(?:\\.cluster\\.local)?)?)?`;
  return text.replaceAll(new RegExp(`(?<![\\w.-])${name}:${port}(?!\\d)`, "g"), `127.0.0.1:${local}`);
}

let turn = 0;

function choose(backends: ReadonlySet<Backend>, selector: Record<string, string>, port: number | string) {
  const fitting = [...backends].filter(
    (backend) =>
      backend.isReady() && Object.entries(selector).every(([label, value]) => backend.labels[label] === value),
  );
  const endpoints = fitting.flatMap((backend) => backend.endpoint(port) ?? []);
  return endpoints[turn++ % endpoints.length];
}

async function openDoor(choose: () => Endpoint | undefined): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const endpoint = choose();
    if (endpoint) join(outer, connect({ ...endpoint, allowHalfOpen: true }));
    else outer.resetAndDestroy();
  });
  server.unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function join(outer: Socket, inner: Socket): void {
  for (const [from, to] of [
    [outer, inner],
    [inner, outer],
  ] as const) {
    from.setNoDelay();
    from.pipe(to);
    from.on("error", () => to.destroy());
  }
}
