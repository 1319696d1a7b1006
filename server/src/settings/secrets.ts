/** Where secrets come from, and who this process is to the clouds. See secrets/config.ts. */
import type { Setting } from "./setting.ts";

export const secretSettings: readonly Setting[] = [
  {
    name: "SECRETS_PROVIDER",
    default: "none",
    doc: "What knows secret:// names: none, env, files, aws_sm, azure_kv, gcp_sm, vault or infisical.",
  },
  {
    name: "SECRETS_REFRESH_S",
    default: "60",
    doc: "How often secrets are looked up again, in seconds. Files are looked at when they change, too.",
  },
  { name: "SECRETS_DIR", default: "/run/secrets", doc: "With files: the folder. A name is a path in it." },
  { name: "AWS_SM_REGION", doc: "With aws_sm: the region. By default AWS_REGION, else us-east-1." },
  { name: "AWS_SM_ENDPOINT", doc: "Another address of AWS Secrets Manager, such as that of a VPC endpoint." },
  { name: "AZURE_KEY_VAULT_URL", doc: "With azure_kv: the vault, such as https://parley.vault.azure.net." },
  { name: "GCP_PROJECT_ID", doc: "With gcp_sm: the project." },
  {
    name: "GCP_SM_ENDPOINT",
    default: "https://secretmanager.googleapis.com",
    doc: "Another address of Google Secret Manager.",
  },
  { name: "VAULT_ADDR", doc: "With vault: where Vault or OpenBao is." },
  { name: "VAULT_TOKEN", secret: true, doc: "Its token, where there is no VAULT_ROLE." },
  { name: "VAULT_ROLE", doc: "The role of Vault's Kubernetes auth as which the pod signs in." },
  { name: "VAULT_AUTH_PATH", default: "kubernetes", doc: "Where that is mounted in Vault." },
  {
    name: "VAULT_KUBERNETES_TOKEN_FILE",
    default: "/var/run/secrets/kubernetes.io/serviceaccount/token",
    doc: "The token of the pod, for VAULT_ROLE.",
  },
  { name: "VAULT_MOUNT", default: "secret", doc: "Where the key-value store (version 2) is mounted in Vault." },
  { name: "VAULT_NAMESPACE", doc: "The namespace, where Vault has several." },
  { name: "INFISICAL_URL", default: "https://app.infisical.com", doc: "With infisical: where it is." },
  { name: "INFISICAL_PROJECT_ID", doc: "The project in Infisical." },
  { name: "INFISICAL_ENVIRONMENT", default: "prod", doc: "The environment in Infisical." },
  { name: "INFISICAL_CLIENT_ID", doc: "The machine identity's id, for universal auth." },
  { name: "INFISICAL_CLIENT_SECRET", secret: true, doc: "The machine identity's secret." },
  {
    name: "AUTH_KEY_STORAGE_BACKEND",
    default: "database",
    doc: "Where the keys are that protect Parley's own keys in the database: database (none) or secret-manager.",
  },
  { name: "AUTH_KEY_STORAGE_PROVIDER", doc: "Which provider has them. By default that of SECRETS_PROVIDER." },
  { name: "AUTH_KEY_SECRET_NAME", default: "parley-master-keys", doc: "The name of the secret with them." },
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
