import { below, command, file, overlay, page, type Seed, setting, value } from "./row.ts";

const { object, replicas, port, service, env, image, probe, data, container, pod } = overlay("cnpg");
const backup = overlay("cnpg-with-backup");
const irc = overlay("irc");
const kubernetes = (heading: string) => page("kubernetes", heading);
const own = (name: string, text?: string) => file(`deploy/cnpg/${name}`, text);

const inDatabase =
  "Sessions of the console are in PostgreSQL by default (only hashes of their ids), so any pod serves any request and a restart signs nobody out; `memory` is for one process, and a second one then does not start.";
const oneUrl =
  "Taken. The overlay has one address in its place, `DATABASE_URL`, in a file that is read again: a password in one of five variables can not be changed while anything runs.";
const databaseParts = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"].map((name) => setting(name));
const noKey =
  "No cookie is signed: a session's id is 256 random bits of which the database has the SHA-256, and so there is no key that could leak or has to be changed.";
const masterKey = setting("MASTER_ENCRYPTION_KEY");
const oneOrigin =
  "`*` unless it is set, as Matrix has it: access is by token and never by cookie. The console and its API answer pages of their own origin alone.";
const noLatest = "A version, never `latest`.";

export const ageGraphExplorer: Seed = {
  name: "age-graph-explorer",
  title: "CloudNativePG with Apache AGE, sessions in PostgreSQL",
  rows: [
    ...below("Overview", [
      [
        "CloudNativePG Cluster, 2 instances, PostgreSQL and Apache AGE",
        object("Cluster/parley-db", { path: "spec.instances", value: 3 }),
        "Three: with two, a commit that waits for a second disk stops with either of them.",
      ],
      [
        "backend, 2+ replicas, sessions and credentials in PostgreSQL",
        replicas("backend", 2),
        file("server/src/auth/sessions.ts"),
      ],
      ["frontend, 2+ replicas, nginx", replicas("frontend", 2)],
      ["no Redis", setting("PARLEY_BUS"), page("bus", "Which one")],
    ]),
    ...below("Prerequisites", [
      ["Kubernetes 1.24+", kubernetes("What you need"), "1.27: pods spread by the labels of their own revision."],
      ["`kubectl` and `helm`", kubernetes("What you need")],
      ["a registry for the AGE image", own("image/Dockerfile"), kubernetes("The image with Apache AGE")],
      ["a StorageClass, or the default", object("Cluster/parley-db", { path: "spec.storage.size", value: "10Gi" })],
    ]),
    ...below("Phase 1: CloudNativePG and AGE", [
      [
        "1.1 `helm repo add cnpg`, install `cnpg/cloudnative-pg` in `cnpg-system`",
        kubernetes("On CloudNativePG"),
        file("deploy/argocd/apps/cloudnative-pg.yaml", "chart: cloudnative-pg"),
      ],
      ["1.2 an image with AGE: `deployment/Dockerfile.age-cnpg`", own("image/Dockerfile")],
      [
        "1.2 base `ghcr.io/cloudnative-pg/postgresql:16`",
        own("image/Dockerfile", "ghcr.io/cloudnative-pg/postgresql:17"),
        "17, and a version to the last figure.",
      ],
      ["1.2 must include Apache AGE", own("image/Dockerfile", "postgresql-17-age")],
      [
        "1.3 build and push `kotte-age-cnpg:latest`",
        own("image/Dockerfile", "docker build"),
        object("Cluster/parley-db", { path: "spec.imageName", value: "ghcr.io/parley-im/parley-postgresql-age:17.6" }),
        noLatest,
      ],
      [
        "1.4 init SQL: `deployment/init-db.sql`",
        own("database/cluster.yaml", "postInitApplicationSQL"),
        command("release db"),
      ],
      [
        "1.4 `CREATE EXTENSION IF NOT EXISTS age`",
        object("Cluster/parley-db", {
          path: "spec.bootstrap.initdb.postInitApplicationSQL.*",
          value: "create extension if not exists age",
        }),
      ],
      [
        "1.4 table `kotte_sessions`",
        file("server/src/db/migrations/console/0001_console.sql", "create table console.sessions"),
        "By migration, with every other table: an init script runs once, and never for what comes later.",
      ],
      [
        "1.4 its columns `session_id`, `user_id`, `data`, `created_at`, `expires_at`",
        file("server/src/db/migrations/console/0001_console.sql", "session_hash bytea primary key"),
        file("server/src/db/migrations/console/0001_console.sql", "expires_at timestamptz not null"),
        "The hash of the id in its place, and of whom it is as `owner`.",
      ],
      [
        "1.4 index `idx_kotte_sessions_expires`",
        file("server/src/db/migrations/console/0001_console.sql", "create index sessions_expiry"),
      ],
      [
        "1.4 `kotte_credentials` table",
        file("server/src/explorer/credentials/postgresql.ts"),
        "By migration, with every other table, and with passwords sealed.",
      ],
      ["1.5 Cluster manifest `deployment/k8s/age-cluster.yaml`", own("database/cluster.yaml")],
      [
        "1.5 `spec.image`: `<registry>/kotte-age-cnpg:latest`",
        object("Cluster/parley-db", { path: "spec.imageName" }),
        "The field is `imageName`.",
      ],
      [
        "1.5 `spec.instances`: 2",
        object(
          "Cluster/parley-db",
          { path: "spec.instances", value: 3 },
          { path: "spec.postgresql.synchronous.dataDurability", value: "required" },
        ),
        "Three, synchronous: what was answered is on two disks.",
      ],
      ["1.5 `spec.storage.size`: 10Gi", object("Cluster/parley-db", { path: "spec.storage.size", value: "10Gi" })],
      [
        "1.5 `spec.bootstrap.initDB`: credentials, `postInitSQL`",
        object("Cluster/parley-db", { path: "spec.bootstrap.initdb.owner", value: "parley_owner" }),
        "The field is `initdb`; the owner's credentials are made by the operator, and the pods serve as a user that owns nothing.",
      ],
    ]),
    ...below("Phase 2: sessions and credentials", [
      ["2.1 PostgresSessionStore with `get`, `set`, `delete`", file("server/src/sessions/postgresql.ts"), inDatabase],
      ["2.1 `DB_*` settings", ...databaseParts, setting("DATABASE_URL")],
      [
        "2.1 `LOAD 'age'` and search_path for the session store",
        object("Cluster/parley-db", { path: "spec.postgresql.shared_preload_libraries.*", value: "age" }),
        "Loaded by the server itself, for every connection; those of sessions never use it.",
      ],
      ["2.2 `SESSION_STORAGE_TYPE` (`memory`, `postgresql`)", setting("SESSION_STORAGE_TYPE"), inDatabase],
      [
        "2.3 credential storage `postgresql`",
        setting("CREDENTIAL_STORAGE_TYPE"),
        file("server/src/explorer/credentials/postgresql.ts"),
      ],
      [
        "2.3 or `json_file` with a PVC at `/app/data`",
        file("server/src/explorer/credentials/json-file.ts"),
        setting("CREDENTIAL_STORAGE_PATH"),
        setting("CREDENTIAL_STORAGE_SHARED"),
        "For one process, or a volume that all of them share: it is yours to mount. `postgresql` needs neither and is the default.",
      ],
      ["2.4 `session_storage_type` with a default", setting("SESSION_STORAGE_TYPE"), inDatabase],
      ["2.4 `CREDENTIAL_STORAGE_TYPE=postgresql` is accepted", setting("CREDENTIAL_STORAGE_TYPE")],
    ]),
    ...below("Phase 3: manifests", [
      [
        "3.1 Namespace `kotte`",
        object("Namespace/parley", {
          path: "metadata.labels.pod-security\\.kubernetes\\.io/enforce",
          value: "restricted",
        }),
        "It is called `parley`, after what is in it.",
      ],
      ["3.2 Secrets: `SESSION_SECRET_KEY`", file("server/src/sessions/sessions.ts"), `Nothing reads it. ${noKey}`],
      ["3.2 `MASTER_ENCRYPTION_KEY`", masterKey],
      [
        "3.2 `DB_PASSWORD`, or the bootstrap's own",
        object("Deployment/backend", { path: `${pod}.volumes.*.secret.secretName`, value: "parley-db-serving" }),
        own("parley/credentials.yaml", "parley-db-serving"),
      ],
      [
        "3.2 values to be filled in; Sealed or External Secrets in production",
        kubernetes("Where the passwords come from"),
        "Nothing is to be filled in: the operator and a Job make the passwords.",
      ],
      ["3.3 ConfigMap for the backend", data("parley-config", "PARLEY_SERVER_NAME")],
      [
        "3.3 `DB_HOST`: `kotte-age-rw`",
        object("Deployment/backend", { path: `${pod}.volumes.*.secret.items.*.key`, value: "DATABASE_URL" }),
        own("parley/credentials.yaml", "parley-db-rw"),
        setting("DB_HOST"),
        oneUrl,
      ],
      [
        "3.3 `DB_PORT`: `5432`",
        object("Deployment/backend", { path: `${pod}.volumes.*.secret.items.*.path`, value: "DATABASE_URL" }),
        setting("DB_PORT"),
        oneUrl,
      ],
      ["3.3 `CORS_ORIGINS`: frontend URLs", setting("CORS_ORIGINS"), oneOrigin],
      ["3.3 `ENVIRONMENT`: `production`", setting("ENVIRONMENT")],
      ["3.3 `CREDENTIAL_STORAGE_TYPE`: `postgresql`", setting("CREDENTIAL_STORAGE_TYPE")],
      ["3.3 `SESSION_STORAGE_TYPE`: `postgresql`", setting("SESSION_STORAGE_TYPE"), inDatabase],
      ["3.4 backend Deployment, 2 replicas", replicas("backend", 2)],
      ["3.4 its image", image("Deployment/backend", "ghcr.io/parley-im/parley:*")],
      [
        "3.4 EnvFrom ConfigMap and Secret",
        object("Deployment/backend", { path: `${container}.envFrom.*.configMapRef.name` }),
        "The Secret is a file: environment variables are seen by whoever may look at a process, and stay as they were.",
      ],
      [
        "3.4 liveness and readiness at `/api/v1/health`",
        file("server/src/health.ts", "/api/v1/health"),
        probe("Deployment/backend", "/health/ready"),
        object("Deployment/backend", { path: `${container}.livenessProbe.httpGet.path`, value: "/health/live" }),
        "That path is answered too. The probes have two: a database that is away must not restart every pod.",
      ],
      [
        "3.4 no PVC",
        object("Deployment/media"),
        "The backend has none; uploads are of a pod of their own, or in an object store.",
      ],
      ["3.5 backend Service: ClusterIP, port 8000", service("backend", 8000), port("Deployment/backend", 8000)],
    ]),
    ...below("Phase 4: frontend", [
      ["4.1 `deployment/frontend.Dockerfile.prod`", file("deploy/web/Dockerfile")],
      [
        "4.1 stage 1: `node:20-alpine`, `npm ci`, `npm run build`",
        file("deploy/web/Dockerfile", "npm run build"),
        "Node 24 on Debian, as in the other image: 20 gets no fixes any more, and one base is one to keep up to date.",
      ],
      [
        "4.1 stage 2: `nginx:alpine` with `dist/`",
        file("deploy/web/Dockerfile", "nginx-unprivileged"),
        "An nginx that never was root.",
      ],
      ["4.1 SPA fallback `try_files $uri /index.html`", file("deploy/web/nginx.conf", "try_files $uri /index.html")],
      [
        "4.1 build argument `VITE_API_BASE_URL` (`/api`)",
        env("Deployment/frontend", "API_BASE_URL", "http://backend:8000"),
        "At the start, not in the build: one image for every installation.",
      ],
      ["4.2 frontend Deployment, 2 replicas", replicas("frontend", 2)],
      ["4.3 frontend Service: ClusterIP, port 80", service("frontend", 80)],
    ]),
    ...below("Phase 5: Ingress", [
      [
        "5.1 `/` to frontend, `/api` to backend",
        irc.path("/", "frontend"),
        irc.path("/api", "frontend"),
        file("deploy/web/nginx.conf", "location /api/"),
        "Optional there and here: the frontend is the one door, and an Ingress needs one path.",
      ],
      ["5.1 or left to cluster admins", kubernetes("On CloudNativePG")],
    ]),
    ...below("Phase 6: hardening", [
      [
        "requests and limits for all",
        object("Deployment/backend", { path: `${container}.resources.limits.memory` }),
        object("Cluster/parley-db", { path: "spec.resources.limits.memory" }),
      ],
      [
        "PodDisruptionBudgets",
        object("PodDisruptionBudget/backend"),
        object("PodDisruptionBudget/frontend"),
        object("Cluster/parley-db", { path: "spec.enablePDB", value: true }),
      ],
      [
        "ScheduledBackup to object storage",
        backup.object("ScheduledBackup/parley-db", { path: "spec.method", value: "plugin" }),
        backup.object("ObjectStore/parley-backup", { path: "spec.configuration.destinationPath" }),
      ],
      ["NetworkPolicies", object("NetworkPolicy/default-deny"), object("NetworkPolicy/to-parley-db")],
      [
        "HorizontalPodAutoscaler",
        file("deploy/helm/parley/templates/autoscaling.yaml", "HorizontalPodAutoscaler"),
        kubernetes("Scale"),
      ],
    ]),
    ...below("File layout", [
      ["`Dockerfile.age-cnpg`", own("image/Dockerfile")],
      ["`init-db.sql`", own("database/cluster.yaml", "postInitApplicationSQL")],
      ["`backend.Dockerfile`", file("deploy/Dockerfile")],
      ["`frontend.Dockerfile.prod`", file("deploy/web/Dockerfile")],
      ["`namespace.yaml`", own("parley/namespace.yaml")],
      [
        "`secrets.yaml`",
        own("parley/credentials.yaml", "parley-db-serving"),
        "None: the operator and a Job make them.",
      ],
      ["`configmap-backend.yaml`", own("parley/kustomization.yaml", "parley-config")],
      ["`age-cluster.yaml`", own("database/cluster.yaml")],
      ["`backend-deployment.yaml`, `backend-service.yaml`", own("parley/backend.yaml")],
      ["`frontend-deployment.yaml`, `frontend-service.yaml`", own("parley/frontend.yaml")],
      ["`ingress.yaml`", file("deploy/kustomize/overlays/irc/ingress.yaml")],
      ["`kustomization.yaml`", own("parley/kustomization.yaml")],
    ]),
    ...below("Networking", [
      ["kotte-age-rw, 5432, primary", own("parley/credentials.yaml", "parley-db-rw")],
      [
        "kotte-age-ro, 5432, replicas",
        own("parley/credentials.yaml", "parley-db-ro"),
        env("Deployment/backend", "DATABASE_REPLICA_URLS"),
        setting("DATABASE_REPLICA_URLS"),
      ],
      ["backend, 8000", service("backend", 8000)],
      ["frontend, 80", service("frontend", 80)],
    ]),
    ...below("Deployment order", [
      [
        "1. the operator",
        kubernetes("On CloudNativePG"),
        file("deploy/argocd/apps/cloudnative-pg.yaml", 'sync-wave: "-2"'),
      ],
      ["2. `namespace.yaml`", object("Namespace/parley")],
      ["3. the AGE image, then `age-cluster.yaml`", kubernetes("The image with Apache AGE")],
      [
        "4. wait for the Cluster",
        object("Job/schema-*", { path: `${pod}.initContainers.*.name`, value: "wait-for-postgres" }),
        file("deploy/argocd/argocd-cm.yaml", "postgresql.cnpg.io_Cluster"),
        "Nobody waits by hand: pods do, and Argo CD by its health check.",
      ],
      ["5. the backend", object("Deployment/backend", { path: `${pod}.initContainers.*.args.*`, value: "wait" })],
      ["6. the frontend", object("Deployment/frontend")],
      ["7. the Ingress", file("deploy/kustomize/overlays/irc/ingress.yaml")],
    ]),
    ...below("Environment variables", [
      ["`DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER`, `DB_PASSWORD`", ...databaseParts],
      [
        "`SESSION_SECRET_KEY`, `MASTER_ENCRYPTION_KEY`",
        masterKey,
        page("secrets", "Secrets, and how to change them"),
        `\`MASTER_ENCRYPTION_KEY\` as it says. Nothing reads \`SESSION_SECRET_KEY\`. ${noKey}`,
      ],
      ["`SESSION_STORAGE_TYPE=postgresql`", setting("SESSION_STORAGE_TYPE"), inDatabase],
      ["`CREDENTIAL_STORAGE_TYPE=postgresql` (or `json_file`)", setting("CREDENTIAL_STORAGE_TYPE")],
      [
        "`CORS_ORIGINS`, `ENVIRONMENT=production`",
        setting("ENVIRONMENT"),
        setting("CORS_ORIGINS"),
        `\`ENVIRONMENT\` as it says. \`CORS_ORIGINS\`: ${oneOrigin}`,
      ],
      ["`VITE_API_BASE_URL`: `/api`, or `https://api.example.com`", env("Deployment/frontend", "API_BASE_URL")],
    ]),
    ...below("Open decisions", [
      [
        "1. credential storage: `postgresql`, or `json_file` with a PVC",
        setting("CREDENTIAL_STORAGE_TYPE"),
        "Both; `postgresql` unless it is said otherwise.",
      ],
      ["2. image registry", image("Deployment/backend", "ghcr.io/parley-im/parley:*"), value("api.image")],
      [
        "3. plain, Sealed or External Secrets",
        kubernetes("Where the passwords come from"),
        value("externalSecrets.enabled"),
      ],
      ["4. Ingress, or left to admins", value("ingress.enabled")],
    ]),
  ],
};
