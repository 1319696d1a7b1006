/** Every operation, in the order of the reference. Each domain exports its own. */
import type { Operation } from "./operation.ts";
import { operations as registration } from "../auth/operations-registration.ts";
import { operations as insight } from "../insight/operations.ts";
import { operations as system } from "../system/operations.ts";
import { roomEndingOperations } from "../rooms/operations-ending.ts";
import { roomOperations } from "../rooms/operations.ts";
import { jobOperations } from "../worker/operations.ts";
import { userQuestions } from "./users/questions.ts";

export const operations: readonly Operation[] = [...userQuestions, ...roomOperations, ...roomEndingOperations, ...jobOperations, ...insight, ...registration, ...system];
