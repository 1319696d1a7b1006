/** The images of Parley, built on this machine with buildah, in a store of the checkout's own. */
import { existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { inRepo } from "./paths.mjs";
import { capture, run } from "./run.mjs";
import { step } from "./step.mjs";

const store = inRepo(".runtime", "images");

export const imageNames = { server: "localhost/parley", web: "localhost/parley-web" };

/** Bases that stand for those of the Dockerfiles where no registry of images is reached. */
const bases = { debian: "localhost/base-debian", node: "localhost/base-node", nginx: "localhost/base-nginx" };

/** Where apt-get and npm can not be reached, or a tool is older than these flags. */
const advice = "The lines above say what went wrong; remove .runtime/images to begin anew.";

/** Why the images can not be built and run here; undefined where they can. */
export function missingImageTools() {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "containers are run by root on Linux";
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const missing = ["buildah", "podman", "runc", "mmdebstrap"].filter(
    (name) => !places.some((place) => existsSync(join(place, name))),
  );
  return missing.length === 0 ? undefined : `${missing.join(", ")} not installed`;
}

/** Flags of buildah and podman alike. A file system that can not be laid over another is copied. */
export async function storeFlags() {
  mkdirSync(store, { recursive: true });
  const flags = (/** @type {string} */ driver) => {
    const places = ["--root", join(store, driver), "--runroot", join(store, `${driver}-run`)];
    return ["--storage-driver", driver, ...places];
  };
  const { code } = await capture(["buildah", ...flags("overlay"), "images"]);
  return flags(code === 0 ? "overlay" : "vfs");
}

/**
 * Builds both images.
 *
 * @param {string} runtime the Node that goes into the bases
 */
export async function buildImages(runtime) {
  const flags = await storeFlags();
  const isFromRegistry = process.env["BUILD_FROM"] === "registry";
  if (!isFromRegistry) await buildBases(flags, runtime);
  const from = (/** @type {Record<string, string>} */ args) =>
    isFromRegistry ? [] : Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const build = (/** @type {string} */ file, /** @type {string[]} */ args, /** @type {string} */ name) =>
    step(`Building ${file}`, () =>
      run(["buildah", ...flags, "build", "--layers", "--isolation", "chroot", ...args, "-f", file, "-t", name, "."], {
        advice,
        cwd: inRepo(),
      }),
    );
  await build("deploy/Dockerfile", from({ NODE_IMAGE: bases.node, BASE_IMAGE: bases.debian }), imageNames.server);
  await build("deploy/web/Dockerfile", from({ NODE_IMAGE: bases.node, NGINX_IMAGE: bases.nginx }), imageNames.web);
}

/**
 * @param {string[]} flags
 * @param {string} runtime
 */
async function buildBases(flags, runtime) {
  const buildah = (/** @type {string[]} */ ...args) => run(["buildah", ...flags, ...args], { advice });
  const isThere = async (/** @type {string} */ name) =>
    (await capture(["buildah", ...flags, "inspect", "--type", "image", name])).code === 0;
  /** @type {(name: string, base: string, fill: (container: string) => Promise<unknown>) => Promise<void>} */
  const make = async (name, base, fill) => {
    if (await isThere(name)) return;
    await step(`Making ${name}`, async () => {
      const container = (await buildah("from", base)).trim().split("\n").at(-1) ?? "";
      await fill(container);
      await buildah("commit", "--rm", container, name);
    });
  };
  await make(bases.debian, "scratch", async (container) => {
    const root = join(store, "debian.tar");
    await run(["mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root], { advice });
    await buildah("add", container, root, "/");
    rmSync(root);
  });
  await make(bases.node, bases.debian, async (container) => {
    await buildah("copy", container, runtime, "/usr/local/bin/node");
    await buildah("copy", container, npmFolder(), "/usr/local/lib/node_modules/npm");
    // npm reaches what it reaches on this machine.
    const certificates = "/etc/ssl/certs/ca-certificates.crt";
    await buildah("copy", container, certificates, certificates);
    await buildah("config", "--env", `NODE_EXTRA_CA_CERTS=${certificates}`, container);
    const link = ["ln", "-s", "../lib/node_modules/npm/bin/npm-cli.js", "/usr/local/bin/npm"];
    await buildah("run", "--isolation", "chroot", container, "--", ...link);
  });
  await make(bases.nginx, bases.debian, async (container) => {
    const install =
      "apt-get update && apt-get install --yes --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*";
    await buildah("run", "--isolation", "chroot", container, "--", "sh", "-c", install);
  });
}

/** npm's own folder: of the one that runs this, else of the one on the path. */
function npmFolder() {
  const places = (process.env["PATH"] ?? "").split(delimiter).map((place) => join(place, "npm"));
  const cli = process.env["npm_execpath"] ?? places.find((place) => existsSync(place)) ?? "npm";
  return dirname(dirname(realpathSync(cli)));
}
