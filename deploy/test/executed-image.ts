/** The images of a release as folders of this machine: what their Dockerfiles would put into them, and how these say to run it. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDockerfile, readRun } from "./dockerfile.ts";

const repo = fileURLToPath(new URL("../../", import.meta.url));

export interface Image {
  /** Where a container begins. */
  root: string;
  /** A folder with its commands. */
  bin: string;
  env: Readonly<Record<string, string>>;
  stopSignal: NodeJS.Signals;
  /** The settings that move a server of it to this machine: to the ports that stand for those of its container. */
  moved(env: Readonly<Record<string, string>>, here: Here): Record<string, string>;
  entrypoint: readonly string[];
  cmd: readonly string[];
}

export interface Here {
  /** Throws for a port that the container does not declare. */
  port(number: number): string;
  path(path: string): string;
}

/** The image of the sources in `root`: this checkout, or a copy of it. What it needs besides is made in `directory`. */
export function imageOf(directory: string, root = repo): Image {
  const { env, entrypoint, cmd, stopSignal } = readRun(readDockerfile(join(repo, "deploy", "Dockerfile")));
  const bin = join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  const command = readFileSync(join(repo, "deploy", "image", "parley"), "utf8");
  const here = command
    .replaceAll("/app/", `${root}/`.replace("//", "/"))
    .replaceAll("/usr/local/bin/node", process.execPath);
  writeFileSync(join(bin, "parley"), here);
  chmodSync(join(bin, "parley"), 0o755);
  return { root, bin, env, entrypoint, cmd, stopSignal, moved: movedServer };
}

/** A port that no container port declares is a mistake of the manifest. */
function movedServer(env: Readonly<Record<string, string>>, { port }: Here): Record<string, string> {
  const own = Number(env["PARLEY_PORT"] ?? 8008);
  return {
    PARLEY_PORT: port(own),
    PARLEY_METRICS_PORT: port(Number(env["PARLEY_METRICS_PORT"] ?? own + 1_000)),
    // Only this machine may reach what is run here. For who may register it counts as what the manifest says.
    PARLEY_HOST: "127.0.0.1",
    PARLEY_REGISTRATION: env["PARLEY_REGISTRATION"] ?? "token",
    PARLEY_TRUSTED_PROXIES: [env["PARLEY_TRUSTED_PROXIES"], "127.0.0.1"].filter(Boolean).join(","),
  };
}

/** The static web image. nginx is that of this machine. */
export function webImageOf(directory: string): Image {
  const root = join(directory, "web-image");
  cpSync(join(repo, "web", "dist"), join(root, "web"), { recursive: true });
  cpSync(join(repo, "operator", "dist"), join(root, "web", "admin"), { recursive: true });
  for (const name of ["nginx.conf", "security-headers.conf", "start.sh"])
    cpSync(join(repo, "deploy", "web", name), join(root, name));
  const { env, entrypoint, cmd, stopSignal } = readRun(readDockerfile(join(repo, "deploy", "web", "Dockerfile")));
  return {
    root,
    bin: "/usr/sbin",
    env,
    entrypoint: entrypoint.map((each) => each.replace("/usr/share/parley/", `${root}/`)),
    cmd,
    stopSignal,
    moved: (env, here) => ({ PORT: here.port(Number(env["PORT"] ?? 8087)), WEB_TMP: here.path("/tmp") }),
  };
}

/** The image of the next release: these sources with one more migration of the log, which is compatible with those before it. */
export function nextImage(directory: string, sql: string): Image {
  const root = join(directory, "app");
  const isShipped = (path: string) => !path.endsWith(".test.ts");
  for (const path of ["package.json", "server/package.json", "server/src"]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(repo, path), join(root, path), { recursive: true, filter: isShipped });
  }
  for (const app of ["web", "operator"]) mkdirSync(join(root, app));
  for (const path of ["node_modules", "web/dist", "operator/dist"]) symlinkSync(join(repo, path), join(root, path));
  addMigration(join(root, "server/src/db/migrations/log"), sql);
  return imageOf(directory, root);
}

function addMigration(folder: string, sql: string): void {
  const numbers = readdirSync(folder).map((name) => Number.parseInt(name, 10));
  const last = Math.max(...numbers);
  const [own, next] = [last, last + 1].map((number) => String(number).padStart(4, "0"));
  writeFileSync(join(folder, `${next}_next.sql`), `-- compatible since: ${own}\n${sql}`);
}
