import { below, command, file, overlay, page, row, type Seed, setting } from "./row.ts";

const { object, replicas, port, service, env, wave, data, claim, container, pod } = overlay("minikube");

const oneDatabase =
  "One database `parley` with a schema and a database role for each domain: an entry of the log and what it changes are one transaction, which three databases can not have.";
const oneJob =
  "One Job brings the whole schema, since it is one database; its name has the number of migrations, and it runs under a lock. A Job for each service would do the same work four times.";
const ownKeys =
  "Access tokens of OAuth 2.0 are signed (ES256) with a ring of keys that Parley makes and replaces by itself: they are in the database, wrapped with a master key where `AUTH_KEY_STORAGE_BACKEND` says so, and nobody has to make, hand over or remember one.";
const notShared =
  "A secret that all share lets whoever reads it once be anybody. Tokens are signed with ES256, whose public half makes none, and each role looks the session up besides, so that a sign-out holds at once.";
const signingKeys = [
  setting("AUTH_SIGNING_KEY_DAYS"),
  file("server/src/auth/oauth/signing-keys.ts", '"ES256"'),
  page("secrets", "The keys that sign"),
] as const;
const jwks = file("server/src/auth/oauth/addresses.ts", 'keys: "/oauth2/keys"');
const noLatest =
  "A version, and a digest where one is given: `latest` is another program tomorrow, and can not be gone back from.";
const ownNamespace =
  "Namespace `parley`: `default` can not be emptied, restricted or denied by default without hitting others.";

const file_ = (name: string) => file(`deploy/kustomize/${name}`);

export const e2eePlatformStack: Seed = {
  name: "e2ee-platform-stack",
  title: "an end-to-end encrypted platform on minikube, with Argo CD",
  rows: [
    row(
      "Introduction",
      "manifests for minikube or any single cluster",
      file_("overlays/minikube/kustomization.yaml"),
      page("kubernetes", "kubectl apply -k"),
    ),
    row(
      "Introduction",
      "Argo CD syncs them",
      file("deploy/argocd/parley-minikube.yaml", "deploy/kustomize/overlays/minikube"),
    ),
    ...below("1) High-level layout", [
      [
        "`k8s/base/*`: Deployments, Services and migration Jobs for auth, keys, messages, gateway",
        file_("base/auth/deployment.yaml"),
        file_("base/keys/deployment.yaml"),
        file_("base/messages/deployment.yaml"),
        file_("base/gateway/deployment.yaml"),
        file_("base/schema/job.yaml"),
      ],
      [
        "`k8s/overlays/minikube-*`: overlays with generators for configuration and secrets, on the base",
        file("deploy/kustomize/overlays/minikube-auth/kustomization.yaml", "configMapGenerator"),
        file("deploy/kustomize/overlays/minikube-keys/kustomization.yaml", "configMapGenerator"),
        file("deploy/kustomize/overlays/minikube-messages/kustomization.yaml", "configMapGenerator"),
        file("deploy/kustomize/overlays/minikube-gateway/kustomization.yaml", "configMapGenerator"),
      ],
      [
        "`infra/k8s/base/postgres`: StatefulSet, Service, credentials and databases, in the minikube overlay",
        file_("base/postgres/statefulset.yaml"),
        file("deploy/kustomize/overlays/minikube/kustomization.yaml", "base/postgres"),
      ],
      [
        "`infra/argocd/sem7-platform-minikube.yaml`: an Application with prune, self-heal and image updater",
        file("deploy/argocd/parley-minikube.yaml", "selfHeal: true"),
      ],
    ]),
    ...below("2) Postgres", [
      ["path `infra/k8s/base/postgres`", file_("base/postgres/kustomization.yaml")],
      ["StatefulSet, 1 replica", object("StatefulSet/postgres", { path: "spec.replicas", value: 1 })],
      [
        "claim `postgres-data`",
        object("StatefulSet/postgres", { path: "spec.volumeClaimTemplates.*.metadata.name", value: "postgres-data" }),
      ],
      ["10Gi", claim("StatefulSet/postgres", "10Gi")],
      [
        "storage class `standard`",
        claim("StatefulSet/postgres", "10Gi"),
        "The cluster's default class, which is `standard` on minikube: a name would leave the claim pending on every cluster that calls its own otherwise.",
      ],
      ["Service: ClusterIP on 5432", service("postgres", 5432)],
      [
        "Secret `postgres-credentials` with user, password and database names",
        file("deploy/kustomize/overlays/minikube/credentials.yaml", "postgres-credentials"),
        page("kubernetes", "Where the passwords come from"),
        "Made in the cluster with random passwords: what stands in a repository is no secret. The names are in the addresses in it.",
      ],
      [
        "ConfigMap `postgres-databases` lists `auth_db`, `keys_db`, `messages_db`",
        data("postgres-databases", "POSTGRES_DB", "parley"),
        data("postgres-databases", "PARLEY_SCHEMAS"),
        oneDatabase,
      ],
      ["sync wave `-1`", wave("StatefulSet/postgres", "-1")],
    ]),
    ...below("3) Auth service", [
      ["path `k8s/base/auth`", file_("base/auth/kustomization.yaml")],
      ["Deployment, 1 replica", replicas("auth", 1)],
      [
        "image `ghcr.io/klickk/secumsg-server/auth:latest`",
        object("Deployment/auth", { path: `${container}.image` }),
        noLatest,
      ],
      ["container port 8081", port("Deployment/auth", 8081)],
      [
        "`DATABASE_URL` from the Secret `postgres-credentials`",
        env("Deployment/auth", "DATABASE_URL", "file:///run/secrets/parley/DATABASE_URL"),
        object("Deployment/auth", { path: `${pod}.volumes.*.secret.secretName`, value: "postgres-credentials" }),
        "As a file, which is read for each new connection: a new password needs no restart.",
      ],
      [
        "values from `auth-config`",
        object("Deployment/auth", { path: `${container}.envFrom.*.configMapRef.name` }),
        data("auth-config", "PARLEY_PORT", "8081"),
      ],
      ["values from `auth-secret`", ...signingKeys, ownKeys],
      ["Service: ClusterIP on 8081", service("auth", 8081)],
      ["Job `auth-migrations`", object("Job/schema-*"), oneJob],
      [
        "it runs as an Argo hook in wave 0",
        wave("Job/schema-*", "0"),
        "Without a hook: it is the same under kubectl, Helm and Argo CD, and pods wait for the schema by themselves.",
      ],
      [
        "initContainers wait for Postgres",
        object("Job/schema-*", { path: `${pod}.initContainers.*.name`, value: "wait-for-postgres" }),
      ],
      ["initContainers create `auth_db` if missing", data("postgres-databases", "10-roles\\.sh"), oneDatabase],
      [
        "migrate image `auth-migrations:latest`",
        object("Job/schema-*", { path: `${container}.args.*`, value: "db" }),
        "The server's own image: it has the migrations that its code was written for.",
      ],
      ["overlay `k8s/overlays/minikube-auth`", file_("overlays/minikube-auth/kustomization.yaml")],
      [
        "its ConfigMap generator sets the issuer",
        setting("AUTH_ISSUER"),
        env("Deployment/auth", "PARLEY_PUBLIC_URL"),
        "The public address, which all parts have, unless `AUTH_ISSUER` says another.",
      ],
      [
        "… the JWKS path",
        jwks,
        file("server/src/auth/oauth/metadata.ts", "jwks_uri"),
        "`/oauth2/keys`, always: clients find it in the discovery document, which no configuration can contradict.",
      ],
      ["… TTLs", data("auth-config", "PARLEY_ACCESS_TOKEN_LIFETIME_S", "3600")],
      ["its Secret generator sets `SIGNING_KEY`", ...signingKeys, ownKeys],
      ["namespace `default`", object("Namespace/parley"), ownNamespace],
    ]),
    ...below("4) Keys service", [
      ["path `k8s/base/keys`", file_("base/keys/kustomization.yaml")],
      ["Deployment, 1 replica", replicas("keys", 1)],
      [
        "image `ghcr.io/klickk/secumsg-server/keys:latest`",
        object("Deployment/keys", { path: `${container}.image` }),
        noLatest,
      ],
      ["port 8082", port("Deployment/keys", 8082)],
      ["`DATABASE_URL` from the Postgres Secret", env("Deployment/keys", "DATABASE_URL")],
      ["ConfigMap `keys-config`", data("keys-config", "PARLEY_PORT", "8082")],
      ["Service: ClusterIP on 8082", service("keys", 8082)],
      [
        "Job `keys-migrations` waits for Postgres",
        object("Job/schema-*", { path: `${pod}.initContainers.*.name`, value: "wait-for-postgres" }),
        oneJob,
      ],
      ["… creates `keys_db`", data("postgres-databases", "PARLEY_SCHEMAS"), oneDatabase],
      ["… runs the image `keys-migrations:latest`", object("Job/schema-*"), oneJob],
      [
        "overlay `k8s/overlays/minikube-keys` sets `ADDR=:8082`",
        setting("ADDR"),
        data("keys-config", "PARLEY_PORT", "8082"),
        env("Deployment/keys", "PARLEY_HOST", "0.0.0.0"),
        "`ADDR` is taken; the overlay names port and host apart, as the other overlays and the probes' port do.",
      ],
      ["no secrets of its own", env("Deployment/keys", "DATABASE_URL")],
    ]),
    ...below("5) Messages service", [
      ["path `k8s/base/messages`", file_("base/messages/kustomization.yaml")],
      ["Deployment, 1 replica", replicas("messages", 1)],
      [
        "image `ghcr.io/klickk/secumsg-server/messages:latest`",
        object("Deployment/messages", { path: `${container}.image` }),
        noLatest,
      ],
      ["port 8084", port("Deployment/messages", 8084)],
      [
        "`MESSAGES_DATABASE_URL` from the Postgres Secret",
        setting("MESSAGES_DATABASE_URL"),
        env("Deployment/messages", "DATABASE_URL"),
        "Taken too, as another name of `DATABASE_URL`, which the overlay gives to all parts, since it is the same database.",
      ],
      ["ConfigMap `messages-config`", data("messages-config", "PARLEY_PORT", "8084")],
      ["Service: ClusterIP on 8084", service("messages", 8084)],
      [
        "Job `messages-migrations` waits for Postgres",
        object("Job/schema-*", { path: `${pod}.initContainers.*.name`, value: "wait-for-postgres" }),
        oneJob,
      ],
      ["… creates `messages_db`", data("postgres-databases", "PARLEY_SCHEMAS"), oneDatabase],
      ["… runs the image `messages-migrations:latest`", object("Job/schema-*"), oneJob],
      [
        "overlay `k8s/overlays/minikube-messages` sets `MESSAGES_ADDR=:8084`",
        setting("MESSAGES_ADDR"),
        data("messages-config", "PARLEY_PORT", "8084"),
        "Taken too, as another name of `ADDR`.",
      ],
    ]),
    ...below("6) Gateway", [
      ["path `k8s/base/gateway`", file_("base/gateway/kustomization.yaml")],
      ["Deployment, 1 replica", replicas("gateway", 1)],
      [
        "image `ghcr.io/klickk/secumsg-server/gateway:latest`",
        object("Deployment/gateway", { path: `${container}.image` }),
        noLatest,
      ],
      ["port 8080", port("Deployment/gateway", 8080)],
      ["values from `gateway-config`", data("gateway-config", "AUTH_URL", "http://auth:8081")],
      ["values from `gateway-secret`, with the shared HS256 secret", ...signingKeys, notShared],
      ["Service: ClusterIP on 8080", service("gateway", 8080)],
      [
        "Job: an empty one without migrations, with a wait for Postgres and a hook",
        object("Deployment/gateway", { path: `${pod}.initContainers.*.args.*`, value: "wait" }),
        "The pod itself waits for the schema in an initContainer; a Job that does nothing can only fail.",
      ],
      [
        "overlay `k8s/overlays/minikube-gateway`: upstream URLs (auth/keys/messages)",
        data("gateway-config", "AUTH_URL"),
        data("gateway-config", "KEYS_URL"),
        data("gateway-config", "MESSAGES_URL", "http://messages:8084"),
      ],
      [
        "… CORS",
        setting("CORS_ORIGINS"),
        "`*` unless it is set, as Matrix has it: access is by token, never by cookie.",
      ],
      [
        "… JWKS URL",
        jwks,
        object("NetworkPolicy/uses-auth"),
        "No role has to be told: each has the ring from the database, and reads it every minute. For others the gateway hands `/oauth2/keys` to the role auth.",
      ],
      ["… debug flag", data("gateway-config", "PARLEY_LOG_LEVEL", "info"), setting("PARLEY_LOG_LEVEL")],
      ["its Secret generator sets `GATEWAY_SHARED_HS256_SECRET`", ...signingKeys, notShared],
    ]),
    ...below("7) Minikube overlay", [
      [
        "`k8s/overlays/minikube/kustomization.yaml` assembles Postgres, minikube-auth, -keys, -messages, -gateway",
        file("deploy/kustomize/overlays/minikube/kustomization.yaml", "../minikube-gateway"),
        "And presence, media, worker and web, which an installation needs besides.",
      ],
      [
        "namespace `default`",
        object("Namespace/parley", {
          path: "metadata.labels.pod-security\\.kubernetes\\.io/enforce",
          value: "restricted",
        }),
        ownNamespace,
      ],
      [
        "for a local cluster, portable to other single clusters",
        file("deploy/test/kustomize.test.ts"),
        page("kubernetes", "kubectl apply -k"),
      ],
    ]),
    ...below("8) Argo CD Application", [
      ["path `infra/argocd/sem7-platform-minikube.yaml`", file("deploy/argocd/parley-minikube.yaml")],
      [
        "points to `main` and `k8s/overlays/minikube`",
        file("deploy/argocd/parley-minikube.yaml", "targetRevision: main"),
        file("deploy/argocd/parley-minikube.yaml", "path: deploy/kustomize/overlays/minikube"),
      ],
      ["automated sync with prune", file("deploy/argocd/parley-minikube.yaml", "prune: true")],
      ["… and self-heal", file("deploy/argocd/parley-minikube.yaml", "selfHeal: true")],
      [
        "Image Updater tracks the GHCR images (`auth`, `keys`, `messages`, `gateway`)",
        file("deploy/argocd/parley-minikube.yaml", "image-list: parley=ghcr.io/parley-im/parley"),
        "One image, for all roles.",
      ],
      [
        "… by the strategy `latest`",
        file("deploy/argocd/parley-minikube.yaml", "update-strategy: semver"),
        "By version: the newest build may be of an older branch, and can not be told from one that was tested.",
      ],
      ["… writes back to `main`", file("deploy/argocd/parley-minikube.yaml", "git-branch: main")],
      [
        "destination `https://kubernetes.default.svc`",
        file("deploy/argocd/parley-minikube.yaml", "server: https://kubernetes.default.svc"),
      ],
      ["namespace `default`", file("deploy/argocd/parley-minikube.yaml", "namespace: parley"), ownNamespace],
      [
        "applied to the namespace `argocd`",
        file("deploy/argocd/parley-minikube.yaml", "namespace: argocd"),
        page("kubernetes", "Argo CD"),
      ],
    ]),
    ...below("9) Operational notes", [
      [
        "images default to `:latest`; SHA tags for pinned roll-backs",
        file("deploy/kustomize/overlays/minikube/kustomization.yaml", "newTag"),
        page("kubernetes", "Roll back"),
        noLatest,
      ],
      [
        "migration Jobs run on each sync",
        object("Job/schema-*", {
          path: "metadata.annotations.argocd\\.argoproj\\.io/sync-options",
          value: "Force=true,Replace=true",
        }),
        command("release db"),
        "When the schema or the image is another; where nothing is to be done, it does nothing.",
      ],
      [
        "the credentials and names are in `postgres-credentials`; better secrets for production",
        page("kubernetes", "Where the passwords come from"),
        page("secrets", "Secrets, and how to change them"),
      ],
      [
        "all Services are ClusterIP; Ingress, port-forward or tunnel from outside",
        service("gateway", 8080),
        page("kubernetes", "kubectl apply -k"),
      ],
    ]),
  ],
};
