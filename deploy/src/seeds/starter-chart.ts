import { below, command, file, page, type Seed, setting, value } from "./row.ts";

const template = (name: string, text?: string) => file(`deploy/helm/parley/templates/${name}.yaml`, text);
const schema = (text: string) => file("deploy/helm/parley/values.schema.json", text);
const kubernetes = (heading: string) => page("kubernetes", heading);

const billing = file("server/src/settings/read-billing.ts", "ENABLE_BILLING_RETRY_WORKER");
const authKeys = [file("server/src/auth/oauth/signing-keys.ts", "masterKeys"), page("secrets", "Master keys")] as const;

export const starterChart: Seed = {
  name: "starter-chart",
  title: "a Helm chart for API, web and worker",
  rows: [
    ...below("Introduction", [
      ["the chart is in `ops/charts/starter`", file("deploy/helm/parley/Chart.yaml", "name: parley")],
    ]),
    ...below("Reference chart", [
      ["API Deployment and Service", template("workloads")],
      ["Web Deployment and Service", template("workloads"), value("web.image")],
      ["optional worker Deployment", value("worker.enabled")],
      ["Ingress with TLS", template("ingress", "tls")],
      ["HorizontalPodAutoscaler for API and web", template("autoscaling", "HorizontalPodAutoscaler")],
      ["External Secrets Operator (default)", template("secrets", "ExternalSecret"), value("externalSecrets.enabled")],
    ]),
    ...below("Prerequisites", [
      ["Kubernetes 1.27+", file("deploy/helm/parley/Chart.yaml", "kubeVersion")],
      ["an ingress controller (nginx, traefik)", value("ingress.className"), kubernetes("What you need")],
      [
        "TLS automation (cert-manager)",
        kubernetes("What you need"),
        file("deploy/argocd/apps/parley.yaml", "cert-manager.io/cluster-issuer"),
      ],
      ["External Secrets Operator", value("externalSecrets.secretStoreRef.name")],
      [
        "managed Postgres and Redis endpoints",
        setting("DATABASE_URL"),
        setting("REDIS_URL"),
        kubernetes("What you need"),
      ],
    ]),
    ...below("Values contract", [
      ["`api.image`", value("api.image")],
      ["`api.env`", value("api.env")],
      ["`api.secrets`", value("api.secrets")],
      ["`api.secretName`", value("api.secretName")],
      ["`web.image`", value("web.image")],
      ["`web.env`", value("web.env")],
      ["`web.secrets`", value("web.secrets")],
      ["`web.secretName`", value("web.secretName")],
      ["`worker.enabled`, false", value("worker.enabled")],
      ["`worker.image`", value("worker.image")],
      ["`worker.env`", value("worker.env")],
      ["`worker.secrets`", value("worker.secrets")],
      ["`worker.secretName`", value("worker.secretName")],
      ["`ingress.enabled`", value("ingress.enabled")],
      ["`ingress.className`: nginx", value("ingress.className")],
      ["`ingress.hosts` with `host`", value("ingress.hosts.0.host")],
      ["`ingress.tls` with `secretName` and `hosts`", value("ingress.tls"), schema('"tls"')],
      ["`ingress.apiHosts`", value("ingress.apiHosts")],
      ["`ingress.apiTls`", value("ingress.apiTls")],
      ["`ingressPaths.api`: `/api`", value("ingressPaths.api")],
      ["`ingressPaths.web`: `/`", value("ingressPaths.web")],
      ["`ingressPaths.apiHost`: `/`", value("ingressPaths.apiHost")],
      ["`externalSecrets.enabled`", value("externalSecrets.enabled")],
      ["`externalSecrets.secretStoreRef.name`", value("externalSecrets.secretStoreRef.name")],
      ["`externalSecrets.secretStoreRef.kind`: ClusterSecretStore", value("externalSecrets.secretStoreRef.kind")],
      ["`externalSecrets.api.data`", value("externalSecrets.api.data")],
      ["`externalSecrets.web.data`", value("externalSecrets.web.data")],
      ["`externalSecrets.worker.data`", value("externalSecrets.worker.data")],
      ["`autoscaling.enabled`", value("autoscaling.enabled")],
      ["`autoscaling.targetCPUUtilizationPercentage`: 80", value("autoscaling.targetCPUUtilizationPercentage")],
      ["`autoscaling.api.minReplicas`: 2", value("autoscaling.api.minReplicas")],
      ["`autoscaling.api.maxReplicas`: 10", value("autoscaling.api.maxReplicas")],
      ["`autoscaling.web.minReplicas`: 2", value("autoscaling.web.minReplicas")],
      ["`autoscaling.web.maxReplicas`: 10", value("autoscaling.web.maxReplicas")],
    ]),
    ...below("Secrets mapping", [
      [
        "External Secrets: keys are variables, values where the provider has them",
        template("secrets", "remoteRef"),
        file("deploy/helm/values/external-secrets.yaml"),
      ],
      ["`secretStoreRef` points at a SecretStore or ClusterSecretStore", value("externalSecrets.secretStoreRef.kind")],
      [
        "static Secrets with `externalSecrets.enabled=false`, as variable and value",
        value("api.secrets"),
        file("deploy/helm/values/static-secrets.yaml"),
      ],
      [
        "names of Secrets overridden by `api.secretName`, `web.secretName`, `worker.secretName`",
        value("api.secretName"),
      ],
      [
        "example: `DATABASE_URL` from `prod/database_url`",
        setting("DATABASE_URL"),
        file("deploy/helm/values/external-secrets.yaml", "DATABASE_URL"),
      ],
      ["example: `REDIS_URL` from `prod/redis_url`", setting("REDIS_URL"), value("externalSecrets.api.data")],
      [
        "example: `API_BASE_URL` of web from `prod/api_base_url`",
        file("deploy/web/start.sh", "API_BASE_URL"),
        "Set by the chart to the API's Service; it is an address and no secret.",
      ],
    ]),
    ...below("Quickstart", [
      [
        "1. build and publish images by `.github/workflows/build-images.yml`",
        file(".github/workflows/build-images.yml"),
      ],
      [
        "2. provision Postgres and Redis",
        kubernetes("What you need"),
        "Redis is not needed: without it PostgreSQL carries the hints too.",
      ],
      [
        "3. install External Secrets Operator, with a `SecretStore` or `ClusterSecretStore`",
        kubernetes("What you need"),
      ],
      [
        "4. create ExternalSecrets for `DATABASE_URL` and `REDIS_URL`",
        template("secrets", "ExternalSecret"),
        "The chart creates them from `externalSecrets.api.data`.",
      ],
      [
        "5. `helm upgrade --install starter ops/charts/starter -f values.prod.yaml`",
        kubernetes("Helm"),
        file("deploy/helm/values/production.yaml"),
      ],
      ["6. run migrations (`starter-console release db`)", command("release db"), template("migrations", "kind: Job")],
      ["7. health: `/health/ready` (API)", file("server/src/health.ts", "/health/ready")],
      [
        "7. health: `/api/health/ready` (web)",
        file("deploy/web/nginx.conf", "location /api/"),
        page("running", "Health"),
      ],
    ]),
    ...below("Secrets strategy", [
      ["cloud secrets become Kubernetes Secrets", template("secrets", "ExternalSecret")],
      [
        "used for `DATABASE_URL`, `REDIS_URL` and provider keys",
        setting("DATABASE_URL"),
        setting("REDIS_URL"),
        setting("S3_SECRET_ACCESS_KEY"),
      ],
      [
        "optional: Secrets Store CSI Driver, as files",
        page("secrets", "The password of the database"),
        setting("DATABASE_URL"),
        kubernetes("Where the passwords come from"),
      ],
    ]),
    ...below("Resources and autoscaling", [
      [
        "requests and limits under `api.resources`, `web.resources`, `worker.resources`",
        value("api.resources"),
        value("web.resources"),
        value("worker.resources"),
      ],
      [
        "HPA with `autoscaling.enabled=true`, API and web by themselves",
        value("autoscaling.api.minReplicas"),
        value("autoscaling.web.minReplicas"),
      ],
    ]),
    ...below("Environment variables", [
      ["`ENVIRONMENT`", setting("ENVIRONMENT")],
      ["`APP_PUBLIC_URL`", setting("PARLEY_PUBLIC_URL"), file("server/src/settings/table.ts", "APP_PUBLIC_URL")],
      ["`SECRETS_PROVIDER` (aws_sm/azure_kv/gcp_sm/vault/infisical)", setting("SECRETS_PROVIDER")],
      ["`AUTH_KEY_STORAGE_BACKEND=secret-manager`", setting("AUTH_KEY_STORAGE_BACKEND"), ...authKeys],
      ["`AUTH_KEY_STORAGE_PROVIDER`", setting("AUTH_KEY_STORAGE_PROVIDER"), ...authKeys],
      ["`AUTH_KEY_SECRET_NAME`", setting("AUTH_KEY_SECRET_NAME"), ...authKeys],
      [
        "`STORAGE_PROVIDER` and what its provider needs (S3/Azure Blob/GCS/MinIO)",
        setting("STORAGE_PROVIDER"),
        setting("S3_BUCKET"),
        setting("AZURE_STORAGE_ACCOUNT"),
        setting("GCS_BUCKET"),
        setting("MINIO_ENDPOINT"),
      ],
      ["web: `API_BASE_URL`", file("deploy/web/start.sh", "API_BASE_URL")],
    ]),
    ...below("Ingress and TLS", [
      ["cert-manager requests and renews certificates", value("ingress.annotations"), kubernetes("What you need")],
      ["`ingressPaths.web` (`/`) to web", value("ingressPaths.web"), template("ingress")],
      [
        "`ingressPaths.api` (`/api`) to the BFF of the web app",
        value("ingressPaths.api"),
        file("deploy/web/nginx.conf", "location /api/"),
      ],
      [
        "`ingress.apiHosts` and `ingress.apiTls` route `ingressPaths.apiHost` (`/`) to the API",
        value("ingress.apiHosts"),
        value("ingressPaths.apiHost"),
      ],
    ]),
    ...below("Billing worker topology", [
      ["with more than one replica, retries move to a worker", value("worker.enabled"), setting("ROLES"), billing],
      ["API: `ENABLE_BILLING_RETRY_WORKER=false`", setting("ENABLE_BILLING_RETRY_WORKER"), billing],
      ["API: `ENABLE_BILLING_STREAM_REPLAY=false`", setting("ENABLE_BILLING_STREAM_REPLAY"), billing],
      [
        "worker: `ENABLE_BILLING_RETRY_WORKER=true`, `ENABLE_BILLING_STREAM_REPLAY=true`",
        setting("ENABLE_BILLING_RETRY_WORKER"),
        setting("ENABLE_BILLING_STREAM_REPLAY"),
        billing,
      ],
      ["worker: `BILLING_RETRY_DEPLOYMENT_MODE=dedicated`", setting("BILLING_RETRY_DEPLOYMENT_MODE"), billing],
      [
        "with `worker.enabled=true` the API does neither, unless `api.env` says so",
        value("worker.enabled"),
        template("workloads"),
        billing,
      ],
    ]),
    ...below("Migrations", [
      [
        "a job before the deployment, or a task of its own: `starter-console release db`",
        command("release db"),
        template("migrations", "kind: Job"),
      ],
    ]),
    ...below("Rollback", [
      [
        "fast: revert to the previous image tags",
        kubernetes("Roll back"),
        page("upgrading", "Many processes, without an interruption"),
      ],
      [
        "infrastructure: data services are not destroyed by changes of the chart",
        template("postgresql", "helm.sh/resource-policy: keep"),
        template("media", "helm.sh/resource-policy: keep"),
      ],
    ]),
    ...below("Ops checklist", [
      [
        "SecretStore or ClusterSecretStore is configured and healthy",
        kubernetes("The checklist"),
        file("deploy/argocd/argocd-cm.yaml", "external-secrets.io_ClusterSecretStore"),
      ],
      ["`DATABASE_URL` and `REDIS_URL` secrets are present", kubernetes("The checklist")],
      ["Ingress and TLS are configured and reachable", kubernetes("The checklist")],
      ["migrations ran successfully", kubernetes("The checklist"), command("release status")],
      ["health checks are green for API and web", kubernetes("The checklist")],
    ]),
  ],
};
