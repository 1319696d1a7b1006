/** Google Secret Manager, by its REST interface. https://cloud.google.com/secret-manager/docs/reference/rest */
import { z } from "zod";
import { ask } from "../cloud/ask.ts";
import type { Seams } from "../seams.ts";
import type { Provider } from "./secrets.ts";

export interface SecretManagerOptions {
  project: string;
  /** Such as https://secretmanager.googleapis.com. */
  endpoint: string;
  token(): Promise<string>;
  seams: Seams;
}

const version = z.looseObject({ payload: z.looseObject({ data: z.string() }) });

/** A name is that of a secret of the project, whose latest version counts, or `name/versions/7`. */
export function secretManagerProvider({ project, endpoint, token, seams }: SecretManagerOptions): Provider {
  return {
    name: "Google Secret Manager",
    async read(name) {
      const [secret = "", pinned = "latest"] = name.split("/versions/");
      const path = `projects/${encodeURIComponent(project)}/secrets/${encodeURIComponent(secret)}/versions/${encodeURIComponent(pinned)}`;
      const answer = await ask(seams, {
        service: "Google Secret Manager",
        url: `${endpoint.replace(/\/+$/, "")}/v1/${path}:access`,
        headers: async () => ({ authorization: `Bearer ${await token()}` }),
        expected: [404],
      });
      const body: unknown = await answer.json().catch(() => undefined);
      if (answer.status === 404) return undefined;
      return Buffer.from(version.parse(body).payload.data, "base64").toString("utf8");
    },
  };
}
