// The stand-in as a process of its own, with the settings that Parley takes.
import { mkdirSync } from "node:fs";
import { startStandin } from "./standin.ts";

const { PARLEY_PORT, PARLEY_DATA_DIR = "", PARLEY_RATE_LIMITS, PARLEY_REGISTRATION } = process.env;
if (PARLEY_RATE_LIMITS !== "off" || PARLEY_REGISTRATION !== "open") throw new Error("not started for a benchmark");
mkdirSync(PARLEY_DATA_DIR, { recursive: true });
const standin = await startStandin({}, Number(PARLEY_PORT));
process.once("SIGTERM", () => void standin[Symbol.asyncDispose]());
