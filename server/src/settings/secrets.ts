/** Where secrets come from, and who this process is to the clouds. See secrets/config.ts. */
import type { Setting } from "./setting.ts";

export const secretSettings: readonly Setting[] = [
  {
    name: "SECRETS_PROVIDER",
    default: "none",
    doc: "What knows secret:// names: none, env, files, aws_sm, azure_kv, gcp_sm, vault or infisical.",
  },
  { name: "AZURE_TENANT_ID", doc: "The tenant of Microsoft Entra, for Azure." },
  { name: "AZURE_CLIENT_ID", doc: "The application or managed identity, for Azure." },
  { name: "AZURE_CLIENT_SECRET", secret: true, doc: "A secret of the application, where it has no federated token." },
  { name: "AZURE_FEDERATED_TOKEN_FILE", doc: "The file with the pod's token, which Azure's webhook sets." },
  {
    name: "AZURE_AUTHORITY_HOST",
    default: "https://login.microsoftonline.com",
    doc: "Where Microsoft Entra gives tokens.",
  },
  { name: "GOOGLE_APPLICATION_CREDENTIALS", doc: "A file that says who this is to Google, off Google's own machines." },
];
