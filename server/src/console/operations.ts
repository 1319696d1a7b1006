/** Every operation, in the order of the reference. Each domain exports its own. */
import type { Operation } from "./operation.ts";
import { userQuestions } from "./users/questions.ts";

export const operations: readonly Operation[] = [...userQuestions];
