/** Runs other programs, without a shell. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { repoRoot } from "./paths.mjs";
import { StepError } from "./step.mjs";

/** So much of a failed command's output is shown: where it began, and where it ended. */
const firstLines = 12;
const lastLines = 20;

/**
 * Runs a command with its output kept back. Rejects with a StepError that shows the end of it, when it fails.
 *
 * @param {readonly string[]} command the program and its arguments
 * @param {{ advice: string, cwd?: string, env?: NodeJS.ProcessEnv }} options `advice` is what to do when it fails
 * @returns {Promise<string>} what it wrote
 */
export async function run(command, { advice, cwd, env }) {
  const { code, output } = await capture(command, { cwd, env });
  if (code === 0) return output;
  const lines = shorten(output.trimEnd().split("\n"));
  throw new StepError(`"${command.join(" ")}" failed (${code}):\n\n    ${lines.join("\n    ")}\n\n${advice}`);
}

/** @param {string[]} lines */
function shorten(lines) {
  if (lines.length <= firstLines + lastLines) return lines;
  return [...lines.slice(0, firstLines), "…", ...lines.slice(-lastLines)];
}

/**
 * Runs a command and gives its exit code (or the reason why there is none) and its output, both streams as one.
 *
 * @param {readonly string[]} command
 * @param {{ cwd?: string | undefined, env?: NodeJS.ProcessEnv | undefined }} [options]
 * @returns {Promise<{ code: number | string, output: string }>}
 */
export function capture([program = "", ...args], { cwd = repoRoot, env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.once("error", (error) => resolve({ code: error.message, output: error.message }));
    child.once("close", (code, signal) =>
      resolve({ code: code ?? `${signal}`, output: Buffer.concat(chunks).toString() }),
    );
  });
}

/** The command that is npm: the one that started us, else the one on the path. */
export function npmCommand() {
  const cli = process.env["npm_execpath"];
  return cli && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli) ? [process.execPath, cli] : ["npm"];
}
