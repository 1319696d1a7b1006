/** Secrets in the environment: a name is a variable's. They never change while the process runs. */
import type { Provider } from "./secrets.ts";

export function envProvider(variable: (name: string) => string | undefined): Provider {
  return { name: "the environment", read: async (name) => variable(name) };
}
