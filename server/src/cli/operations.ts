/** Every operation of the operator API that has a command, as one. What they do is done by the server: here they are asked and shown. */
import { openAsBlob } from "node:fs";
import { buffer } from "node:stream/consumers";
import type { Operation } from "../console/operation.ts";
import { operations } from "../console/operations.ts";
import { asError, StartError } from "../errors.ts";
import { type Argument, type Call, type Command, type Option, type Outcome, UsageError } from "./command.ts";
import { openApi, type Api } from "./operation-api.ts";
import { type Asked, type Member, membersOf, optionName, optionsOf, requestOf } from "./operation-options.ts";
import { textOf } from "./operation-print.ts";
import { takeStream } from "./operation-stream.ts";

const SERVER: Option = { kind: "text", value: "url", doc: "Where Parley is; by default as the settings say." };
const ALL: Option = { kind: "flag", doc: "All pages." };
const fileOption = (what: string): Option => ({
  kind: "text",
  value: "path",
  doc: `${what}; - for standard input. Needed.`,
});
const OUTPUT: Option = { kind: "text", value: "path", doc: "A file for the answer; by default standard output." };

export const operationCommands: readonly Command[] = operations.flatMap((operation) =>
  operation.command === undefined ? [] : [commandOf(operation, operation.command.name)],
);

function commandOf(operation: Operation, name: string): Command {
  const places = operation.command?.arguments ?? [];
  let known: Member[] | undefined;
  const members = () => (known ??= membersOf(operation));
  return {
    name,
    summary: `${operation.summary}.`,
    get help() {
      return wrapped(`${operation.summary}. ${operation.description ?? ""} For the role "${operation.role}".`);
    },
    get arguments() {
      return places.map((place) => argumentOf(place, members()));
    },
    get options() {
      return { ...optionsOf(members(), places), ...ownOptions(operation, members()) };
    },
    run: (call) => run({ operation, members: members() }, call),
  };
}

function ownOptions({ command }: Operation, members: readonly Member[]): Record<string, Option> {
  const isPaged = members.some(({ name, where }) => name === "from" && where === "query");
  return {
    ...(isPaged ? { all: ALL } : {}),
    ...(command?.file ? { file: fileOption(command.file) } : {}),
    ...(command?.isStream ? { output: OUTPUT } : {}),
    server: SERVER,
  };
}

function argumentOf(place: string, members: readonly Member[]): Argument {
  const member = members.find(({ name }) => name === place);
  const name = optionName({ name: place.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), isSecret: false });
  const doc = member?.shape.description?.replace(/\.$/, "") ?? `the ${name.replaceAll("-", " ")}`;
  return { name, doc, isRequired: member?.isRequired ?? true };
}

const HELP_CHARACTERS = 120;

function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) as string;
    if (line.length + word.length >= HELP_CHARACTERS) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

interface Described {
  operation: Operation;
  members: readonly Member[];
}

async function run({ operation, members }: Described, call: Call): Promise<Outcome> {
  const { server, output, all, file, ...options } = call.options;
  const asked = requestOf(operation, members, { ...call, options });
  if (operation.body === "stream") asked.body = await contentOf(operation, text(file));
  const api = openApi({ config: call.config(), server: text(server), seams: call.seams });
  const answer = await send(api, operation, asked);
  if (!answer.ok) return refused(answer);
  if (operation.answer === "stream") return takeStream(call, answer, text(output));
  const data = (await answer.json()) as Record<string, unknown>;
  const whole = all
    ? await withOthers(data, (from) => send(api, operation, { ...asked, query: { ...asked.query, from } }))
    : data;
  return { ok: isDone(whole), data: whole, text: textOf(operation, whole) };
}

async function contentOf({ command }: Operation, path: string | undefined): Promise<Blob> {
  if (path === undefined) throw new UsageError(`--file is missing. See parley ${command?.name} --help.`);
  try {
    return path === "-" ? new Blob([await buffer(process.stdin)]) : await openAsBlob(path);
  } catch (thrown) {
    throw new UsageError(`${path} can not be read: ${asError(thrown).message}`);
  }
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function send(api: Api, { method }: Operation, { path, query, body }: Asked): Promise<Response> {
  const search = new URLSearchParams(query).toString();
  return api.send({ method, path: path + (search ? `?${search}` : ""), body });
}

/** An answer may say of itself, or of each of its things, that it is not as it should be. */
function isDone({ ok, items }: Record<string, unknown>): boolean {
  const each = Array.isArray(items) ? (items as { ok?: unknown }[]) : [];
  return ok !== false && each.every((item) => item?.ok !== false);
}

async function refused(answer: Response): Promise<Outcome> {
  const body = (await answer.json().catch(() => ({}))) as { error?: string; errcode?: string };
  const error = body.error ?? `The server answered ${answer.status}.`;
  if (["M_INVALID_PARAM", "M_MISSING_PARAM", "M_BAD_JSON"].includes(body.errcode ?? "")) throw new UsageError(error);
  return { ok: false, data: { ...body, error, status: answer.status }, text: error };
}

async function withOthers(
  first: Record<string, unknown>,
  page: (from: string) => Promise<Response>,
): Promise<Record<string, unknown>> {
  const items = [...((first["items"] as unknown[] | undefined) ?? [])];
  let { next } = first;
  while (typeof next === "string") {
    const answer = await page(next);
    const data = (await answer.json()) as Record<string, unknown> & { error?: string };
    if (!answer.ok) throw new StartError(data.error ?? `The server answered ${answer.status}.`);
    items.push(...((data["items"] as unknown[] | undefined) ?? []));
    ({ next } = data);
  }
  const { next: _, ...rest } = first;
  return { ...rest, items };
}
