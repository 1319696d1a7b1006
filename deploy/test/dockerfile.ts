/** A Dockerfile as data: its stages, and what the last one says about running it. */
import { readFileSync } from "node:fs";

export interface Instruction {
  name: string;
  /** What stands behind the name, its lines joined. */
  text: string;
}

export interface Stage {
  /** Of `FROM base AS name`. */
  base: string;
  name: string | undefined;
  instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Before the first stage: the arguments that bases are chosen by. */
  args: Record<string, string>;
  stages: readonly Stage[];
}

export function readDockerfile(path: string | URL): Dockerfile {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const all = lines.map((line): Instruction => {
    const [name = ""] = line.split(/\s/, 1);
    return { name: name.toUpperCase(), text: line.slice(name.length).trim() };
  });
  const starts = all.flatMap(({ name }, index) => (name === "FROM" ? [index] : []));
  const args = all.slice(0, starts[0]).map(({ text }) => text.split("=", 2) as [string, string]);
  return { args: Object.fromEntries(args), stages: starts.map((start, i) => stage(all.slice(start, starts[i + 1]))) };
}

function stage([from, ...instructions]: Instruction[]): Stage {
  const [base = "", , name] = from?.text.split(/\s+/) ?? [];
  return { base, name, instructions };
}

/** What a container of the last stage is started with, where nothing else is said. */
export function readRun({ stages }: Dockerfile): {
  env: Record<string, string>;
  entrypoint: string[];
  cmd: string[];
  user: string | undefined;
  workdir: string | undefined;
  stopSignal: NodeJS.Signals;
} {
  const last = stages.at(-1) as Stage;
  const texts = (name: string) => last.instructions.filter((each) => each.name === name).map(({ text }) => text);
  const list = (name: string) => JSON.parse(texts(name).at(-1) ?? "[]") as string[];
  const pairs = texts("ENV").flatMap((text) => text.split(/\s+/).map((pair) => pair.split("=", 2) as [string, string]));
  return {
    env: Object.fromEntries(pairs),
    entrypoint: list("ENTRYPOINT"),
    cmd: list("CMD"),
    user: texts("USER").at(-1),
    workdir: texts("WORKDIR").at(-1),
    stopSignal: (texts("STOPSIGNAL").at(-1) ?? "SIGTERM") as NodeJS.Signals,
  };
}
