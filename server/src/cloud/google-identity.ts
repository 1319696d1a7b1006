/**
 * Who this process is to Google: the workload identity of the pod or machine, a federated one, or the key file of a service account,
 * as Google's library finds them ("Application Default Credentials"). Loaded only where Google is used.
 */
import { GoogleAuth } from "google-auth-library";
import { asError } from "../errors.ts";
import { CloudError } from "./ask.ts";

/** Gives an access token that is good for a while. Throws CloudError. */
export function googleTokens(keyFile: string | undefined): () => Promise<string> {
  const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
  const auth = new GoogleAuth({ scopes, ...(keyFile ? { keyFilename: keyFile } : {}) });
  return async () => {
    try {
      const token = await auth.getAccessToken();
      if (token) return token;
    } catch (thrown) {
      throw new CloudError(`Google gives no token (${asError(thrown).message})`, { cause: thrown });
    }
    throw new CloudError("Google gives no token");
  };
}
