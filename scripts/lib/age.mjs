/**
 * PostgreSQL 17 with Apache AGE for tests, from Debian's packages, in a directory of its own that is run by chroot: the machine
 * gets no server, no service and no other version of a library. Where that is not possible, what is missing is named.
 */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "./lock.mjs";
import { inRepo } from "./paths.mjs";
import { run } from "./run.mjs";
import { StepError, step } from "./step.mjs";

const release = "trixie";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** The account inside: PostgreSQL refuses to be root. */
const account = { name: "postgres", uid: 65_534, gid: 65_534 };

const packages = ["postgresql-17-age", "dash"];
/** Scripts around the server and its compiler of queries: none of them is run here. */
const unused = /\/(?:perl|libperl|lib.*-perl|libllvm|libz3|debconf|systemd|ucf|dpkg|openssl|init-)/;
const advice = "The tests that need it are skipped.";

/** Downloads it (100 MB) and unpacks it the first time in a checkout, in a quarter of a minute. testkit/src/age.ts runs it. */
export async function bringAge() {
  const root = inRepo(".runtime", "age-17");
  if (existsSync(root)) return;
  const missing = missingTools();
  if (missing) {
    console.log(`  Missing: PostgreSQL with Apache AGE, for its tests: ${missing}.`);
    return;
  }
  try {
    await withLock(inRepo(".runtime", "age-lock"), async () => {
      if (!existsSync(root)) await step("Bringing PostgreSQL 17 with Apache AGE", () => make(root));
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.log(error.message);
  }
}

/** Why it can not be set up here. */
function missingTools() {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it is set up by root on Debian";
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const tools = ["apt-get", "dpkg-deb", "chroot", "mknod"];
  const missing = tools.filter((name) => !places.some((place) => existsSync(join(place, name))));
  if (missing.length > 0) return `it is set up by root on Debian: ${missing.join(", ")} not installed`;
  return existsSync(keyring) ? undefined : `it is set up by root on Debian: there is no ${keyring}`;
}

/** @param {string} root */
async function make(root) {
  const work = `${root}.${process.pid}`;
  try {
    const archives = await download(join(work, "apt"));
    const files = join(work, "root");
    layOut(files);
    for (const each of archives.filter((path) => !unused.test(path))) await unpack(each, files);
    await run(["chroot", files, "/usr/lib/postgresql/17/bin/postgres", "--version"], { advice });
    renameSync(files, root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Lets apt find out what belongs to the packages, with lists and a cache of its own: those of the machine stay as they are.
 *
 * @param {string} place
 */
async function download(place) {
  for (const each of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(place, each), { recursive: true });
  const sources = join(place, "sources.list");
  writeFileSync(sources, `deb [signed-by=${keyring}] ${mirror()} ${release} main\n`);
  // Nothing is installed there: all packages are wanted.
  writeFileSync(join(place, "status"), "");
  const settings = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State": join(place, "state"),
    "Dir::State::status": join(place, "status"),
    "Dir::Cache": join(place, "cache"),
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  const apt = ["apt-get", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  await run([...apt, "update"], { advice });
  const install = ["install", "--yes", "--no-install-recommends", "--download-only", ...packages];
  await run([...apt, ...install], { advice });
  const archives = join(place, "cache/archives");
  return readdirSync(archives)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(archives, name));
}

/** Where this machine gets its own packages of Debian from. */
function mirror() {
  const filters = ["Origin: Debian", "Label: Debian", "Created-By: Packages"];
  const output = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI)", ...filters], { encoding: "utf8" });
  const [first] = output.split("\n");
  if (!first) throw new StepError(`This machine has no package archive of Debian. ${advice}`);
  return first;
}

/** The places that packages of a merged /usr expect, and the few things that a running Debian has besides. @param {string} root */
function layOut(root) {
  for (const each of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(root, "usr", each), { recursive: true });
    symlinkSync(join("usr", each), join(root, each));
  }
  for (const each of ["dev", "etc", "run", "tmp"]) mkdirSync(join(root, each));
  for (const each of ["run", "tmp"]) chmodSync(join(root, each), 0o1777);
  const { name, uid, gid } = account;
  writeFileSync(join(root, "etc", "passwd"), `${name}:x:${uid}:${gid}::/:/bin/sh\n`);
  execFileSync("mknod", ["-m", "666", join(root, "dev", "null"), "c", "1", "3"]);
  execFileSync("mknod", ["-m", "666", join(root, "dev", "urandom"), "c", "1", "9"]);
}

/**
 * @param {string} archive
 * @param {string} root
 */
async function unpack(archive, root) {
  const without = ["doc", "man", "locale"].map((each) => `--exclude=./usr/share/${each}`).join(" ");
  const script = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner --keep-directory-symlink ${without}`;
  await promisify(execFile)("/bin/sh", ["-c", script, "sh", archive, root]);
}
