/**
 * What tests need from the system beyond Node and npm. On Debian and Ubuntu, as root, it is installed; elsewhere what is missing
 * is named, and the tests that need it count as skipped.
 */
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./run.mjs";
import { StepError, step } from "./step.mjs";

/**
 * @typedef {object} SystemPackage
 * @property {string} name as a person would call it
 * @property {string} apt the package of Debian and Ubuntu
 * @property {string} neededBy
 * @property {boolean} [service] whether Debian would start it as a service; the tests start their own
 * @property {() => boolean} isThere
 */

/** @type {readonly SystemPackage[]} */
export const systemPackages = [
  {
    name: "Chromium",
    apt: "chromium",
    neededBy: "the browser tests",
    isThere: () =>
      ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].some(isOnPath) ||
      existsSync("/Applications/Google Chrome.app"),
  },
  {
    name: "a colour emoji font",
    apt: "fonts-noto-color-emoji",
    neededBy: "emoji in the screenshots",
    isThere: () => process.platform === "darwin" || existsSync("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
  },
  { name: "Redis", apt: "redis-server", neededBy: "its tests", service: true, isThere: () => isOnPath("redis-server") },
  { name: "NATS", apt: "nats-server", neededBy: "its tests", service: true, isThere: () => isOnPath("nats-server") },
  {
    name: "RabbitMQ",
    apt: "rabbitmq-server",
    neededBy: "its tests",
    service: true,
    isThere: () => isOnPath("rabbitmq-server") || existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server"),
  },
  {
    name: "libfaketime",
    apt: "libfaketime",
    neededBy: "the tests with clocks that are wrong",
    isThere: () =>
      ["x86_64", "aarch64"].some((machine) => existsSync(`/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)),
  },
  {
    name: "promtool",
    apt: "prometheus",
    neededBy: "the tests of alerts",
    service: true,
    isThere: () => isOnPath("promtool"),
  },
  {
    name: "nginx",
    apt: "nginx-light",
    neededBy: "the tests of the static web image",
    service: true,
    isThere: () => isOnPath("nginx") || existsSync("/usr/sbin/nginx"),
  },
];

/** What `npm run test:image` needs besides. @type {readonly SystemPackage[]} */
const imageTools = ["buildah", "podman", "runc", "mmdebstrap"].map((name) => ({
  name,
  apt: name,
  neededBy: "building and running the images",
  service: name === "podman",
  isThere: () => isOnPath(name) || existsSync(`/usr/sbin/${name}`),
}));

/** Installs what is missing where that is possible, and names what is missing then. */
export function bringSystemPackages() {
  return bringPackages(systemPackages);
}

/** The same for the tests of the images. */
export function bringImageTools() {
  return bringPackages(imageTools);
}

/** @param {readonly SystemPackage[]} wanted */
async function bringPackages(wanted) {
  const missing = wanted.filter((each) => !each.isThere());
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && isOnPath("apt-get")) await install(missing);
  for (const { name, apt, neededBy } of missing.filter((each) => !each.isThere())) {
    console.log(`  Missing: ${name}, for ${neededBy}. On Debian and Ubuntu: sudo apt-get install ${apt}`);
  }
}

/**
 * A machine without access to its package archive can still run all the other tests, so a failure is told and no more.
 *
 * @param {readonly SystemPackage[]} missing
 */
async function install(missing) {
  const names = missing.map((each) => each.apt);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const advice = "The tests that need it are skipped.";
  try {
    await step(`Installing ${names.join(", ")}`, async () => {
      await run(["apt-get", "update"], { env, advice });
      await withoutServices(() =>
        run(["apt-get", "install", "--yes", "--no-install-recommends", ...names], { env, advice }),
      );
      const services = missing.filter((each) => each.service).map((each) => each.apt);
      if (services.length > 0 && existsSync("/run/systemd/system"))
        await run(["systemctl", "disable", ...services], { env, advice });
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.log(error.message);
  }
}

/** Debian asks this program whether a service may be started, when there is one; 101 says no. */
const policy = "/usr/sbin/policy-rc.d";

/**
 * Debian starts a server when it is installed, on its default port. This machine was asked for the program alone.
 *
 * @template T
 * @param {() => Promise<T>} install
 */
async function withoutServices(install) {
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return await install();
  } finally {
    if (isOurs) rmSync(policy);
  }
}

/** @param {string} program */
function isOnPath(program) {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => isExecutable(join(directory, program)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
