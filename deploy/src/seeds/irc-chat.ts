import { below, file, overlay, page, type Seed, setting } from "./row.ts";

const { object, replicas, port, service, env, image, probe, path, data, claim, container, pod } = overlay("irc");
const kubernetes = (heading: string) => page("kubernetes", heading);

const managed =
  "One pod with a claim, for trying out; for more, a database or store that somebody else looks after, by its address.";
const noShared =
  "No secret is shared between services, which would let whoever reads it once be anybody: access tokens are signed with ES256, by a ring of keys that Parley makes and replaces itself, and each service looks the session up besides.";
const signingKeys = [setting("AUTH_SIGNING_KEY_DAYS"), page("secrets", "The keys that sign")] as const;
const ownPaths = "The web messenger is a Matrix client and asks its own host: the addresses are no part of the build.";
const log =
  "The log is the channel: every message of every room comes in one order, and a hint says that there is something new.";

export const ircChat: Seed = {
  name: "irc-chat",
  title: "a chat with Redis, a storage service and MinIO",
  rows: [
    ...below("Goals", [
      [
        "backend pods scale without losing messages",
        replicas("backend", 2),
        page("roles", "What several processes share"),
      ],
      ["durability in the database, Redis is best effort", page("bus", "What happens when something fails")],
      ["uploads by a storage service of its own", env("Deployment/storage", "ROLES", "media")],
      [
        "the frontend never talks to Redis",
        object("NetworkPolicy/uses-redis", {
          path: "spec.podSelector.matchLabels.parley\\.im/uses-redis",
          value: "true",
        }),
      ],
    ]),
    ...below("Components", [
      ["1. Backend API with WebSocket", env("Deployment/backend", "ROLES", "auth,keys,messages,gateway,presence,web")],
      ["2. Frontend, static nginx", image("Deployment/frontend", "ghcr.io/parley-im/parley-web:*")],
      [
        "3. Redis: Pub/Sub, cache, presence",
        object("StatefulSet/redis"),
        data("irc-config", "PARLEY_BUS", "redis"),
        data("irc-config", "PARLEY_EPHEMERAL", "redis"),
      ],
      ["4. Postgres", object("StatefulSet/postgres")],
      ["5. media storage service", object("Deployment/storage")],
      ["6. MinIO", object("StatefulSet/minio")],
      ["7. worker, optional", object("Deployment/worker")],
    ]),
    ...below("Data flow (chat)", [
      ["1. the client sends by HTTP", file("server/src/messages/send.ts")],
      [
        "2. the backend writes to Postgres and gets `message_id`",
        file("docs/flows/sending-a-message.md"),
        file("server/src/log/append.ts"),
      ],
      [
        "3. it publishes `{channel_id, message_id}` to Redis",
        file("server/src/log/hints.ts"),
        file("server/src/bus/redis.ts"),
        "The hint has the position, and small entries with it, sealed: whoever reads Redis learns nothing.",
      ],
      ["4. each pod with sockets of the channel pushes", file("server/src/gateway/pump.ts")],
      [
        "5. after a reconnect, catch-up by the last `message_id`",
        file("docs/flows/reconnecting.md"),
        "By position, in the same stream: no second request, and no gap between the two.",
      ],
    ]),
    ...below("Data flow (uploads)", [
      [
        "1. the client uploads to the storage service (HTTP multipart)",
        path("/_matrix/media", "storage"),
        "The bytes alone, as Matrix has it: nothing to be taken apart.",
      ],
      ["2. the object is stored in MinIO", env("Deployment/storage", "STORAGE_PROVIDER", "minio")],
      ["3. metadata in Postgres", file("server/src/media/queries.ts")],
      [
        "4. progress in Redis (`upload:{id}`, with a time-out)",
        file("server/src/media/uploads/receive.ts", "setUpload"),
        file("server/src/ephemeral/redis.ts", "upload:${id}"),
        data("irc-config", "PARLEY_EPHEMERAL", "redis"),
      ],
      [
        "5. the client asks the backend every 4 s",
        file("docs/protocol/uploads.md", "GET <Location>"),
        path("/_parley/client/v1/uploads", "storage"),
        "Any session of the person asks, whenever it wants, and is told what has arrived up to a quarter of a second ago.",
      ],
    ]),
    ...below("Redis usage", [
      ["channel `channel:{channel_id}`, for DMs too", file("server/src/bus/redis.ts"), log],
      ["`presence:{user_id}`, with a time-out", file("server/src/ephemeral/redis.ts")],
      [
        "`channel_members:{channel_id}`, a set with a time-out",
        file("server/src/rooms/cache.ts"),
        file("server/src/ephemeral/redis.ts", "channel_members:{room_id}"),
        "Who is in a room is true for longer than a moment: it is in PostgreSQL, and each process has a copy that follows the log. The set is of those who are typing there.",
      ],
      [
        "`upload:{upload_id}`: `status`, `bytes`, `total`, `updated_at`",
        file("server/src/ephemeral/redis.ts", "updated_at: seams.now_ms()"),
      ],
    ]),
    ...below("Expected guarantees", [
      [
        "live delivery is best effort",
        page("bus", "What happens when something fails"),
        "A lost hint costs up to a second; no message is lost.",
      ],
      ["durability by Postgres", page("running", "Another PostgreSQL")],
      ["catch-up by REST on reconnect", file("docs/flows/reconnecting.md")],
    ]),
    ...below("Topology", [
      ["namespace `irc`, for all workloads", object("Namespace/irc")],
      ["Deployment `backend`, 2+ replicas", replicas("backend", 2)],
      ["Deployment `frontend`, 1+", replicas("frontend", 1)],
      ["Deployment `storage`, 1+", replicas("storage", 1)],
      ["Deployment `worker`, 0-1", replicas("worker", 1)],
      [
        "Deployment `redis`, 1 for dev",
        object("StatefulSet/redis", { path: "spec.replicas", value: 1 }),
        "A StatefulSet with a claim: what is true for a moment is still there after a restart.",
      ],
      [
        "Deployment `postgres`, 1 for dev; managed or HA in production",
        object("StatefulSet/postgres", { path: "spec.replicas", value: 1 }),
        file("deploy/cnpg/database/cluster.yaml", "instances: 3"),
        "A StatefulSet: never two pods on one volume.",
      ],
      ["Deployment `minio`, 1 for dev", object("StatefulSet/minio", { path: "spec.replicas", value: 1 }), managed],
      ["Service `backend`, ClusterIP", service("backend", 8002)],
      ["Service `frontend`, ClusterIP", service("frontend", 80)],
      ["Service `storage`, ClusterIP", service("storage", 9101)],
      ["Service `redis`, ClusterIP", service("redis", 6379)],
      ["Service `postgres`, ClusterIP", service("postgres", 5432)],
      ["Service `minio`, ClusterIP", service("minio", 9000)],
      ["Ingress `/` to frontend", path("/", "frontend")],
      [
        "Ingress `/api` to backend",
        path("/api", "frontend"),
        path("/_matrix", "backend"),
        "Matrix has `/_matrix` and `/_parley`, which go to the backend. `/api` goes there by the frontend, which takes the prefix off: an Ingress can not on every controller.",
      ],
      [
        "Ingress `/ws` to backend (WebSocket)",
        path("/_parley", "backend"),
        "The stream is `/_parley/client/v1/stream`: docs/protocol/stream.md.",
      ],
      [
        "Ingress `/media` to storage",
        path("/_matrix/media", "storage"),
        path("/_matrix/client/v1/media", "storage"),
        "The two prefixes that Matrix has for files.",
      ],
    ]),
    ...below("Environment variables", [
      ["backend: `DATABASE_URL=postgresql://...`", env("Deployment/backend", "DATABASE_URL"), setting("DATABASE_URL")],
      ["backend: `REDIS_URL=redis://redis:6379/0`", env("Deployment/backend", "REDIS_URL"), setting("REDIS_URL")],
      ["backend: `JWT_SECRET=...`", ...signingKeys, noShared],
      [
        "storage: `MINIO_ENDPOINT=http://minio:9000`",
        env("Deployment/storage", "MINIO_ENDPOINT", "http://minio:9000"),
        setting("MINIO_ENDPOINT"),
      ],
      [
        "storage: `MINIO_PUBLIC_ENDPOINT=http://minio:9000`",
        path("/_matrix/media", "storage"),
        "Files go through the storage service, which knows who may have them: nobody is sent to MinIO, so it has no public address.",
      ],
      ["storage: `MINIO_BUCKET=media`", env("Deployment/storage", "MINIO_BUCKET", "media"), setting("MINIO_BUCKET")],
      ["storage: `MINIO_ACCESS_KEY`", env("Deployment/storage", "MINIO_ACCESS_KEY"), setting("MINIO_ACCESS_KEY")],
      ["storage: `MINIO_SECRET_KEY`", env("Deployment/storage", "MINIO_SECRET_KEY"), setting("MINIO_SECRET_KEY")],
      [
        "storage: `BACKEND_VERIFY_URL=http://backend:8002/auth/me`",
        env("Deployment/storage", "DATABASE_URL"),
        "The storage service looks sessions up itself: a call to another service for each file would be one more thing that is slow or away, and a token would cross the network again.",
      ],
      [
        "storage: `PUBLIC_BASE_URL=https://your-domain/media`",
        data("irc-config", "PARLEY_PUBLIC_URL"),
        setting("PARLEY_PUBLIC_URL"),
        "A file is an `mxc://` address, which each client resolves on its own server; the address of the whole is enough.",
      ],
      ["storage: `REDIS_URL=redis://redis:6379/0`", env("Deployment/storage", "REDIS_URL")],
      [
        "frontend: `VITE_API_BASE_URL=https://your-domain/api`",
        env("Deployment/frontend", "API_BASE_URL", "http://backend:8002"),
        ownPaths,
      ],
      ["frontend: `VITE_WS_URL=wss://your-domain/ws`", env("Deployment/frontend", "API_BASE_URL"), ownPaths],
    ]),
    ...below("Notes", [
      [
        "stronger guarantees: Redis Streams or NATS JetStream",
        setting("PARLEY_BUS"),
        page("bus", "Which one"),
        "The log in PostgreSQL has them already; NATS is one of the buses.",
      ],
      [
        "high scale: managed Redis, Postgres, MinIO",
        setting("DATABASE_URL"),
        setting("REDIS_URL"),
        setting("STORAGE_PROVIDER"),
      ],
      [
        "Secrets in place of values in manifests",
        file("deploy/kustomize/overlays/irc/credentials.yaml", "minio-credentials"),
        kubernetes("Where the passwords come from"),
      ],
    ]),
    ...below("Example manifests", [
      ["`kind: Namespace`, `irc`", object("Namespace/irc")],
      [
        "redis: `kind: Deployment`, image `redis:7-alpine`",
        image("StatefulSet/redis", "docker.io/library/redis:7*"),
        "A version to the last figure.",
      ],
      ["redis: containerPort 6379", port("StatefulSet/redis", 6379)],
      ["redis: `kind: Service`, port 6379", service("redis", 6379)],
      [
        "postgres: image `postgres:16-alpine`",
        image("StatefulSet/postgres", "docker.io/library/postgres:17*"),
        "17, of Debian: its collations stay the same from one patch release to the next.",
      ],
      ["postgres: containerPort 5432", port("StatefulSet/postgres", 5432)],
      [
        "postgres: `POSTGRES_DB`: irc",
        env("StatefulSet/postgres", "POSTGRES_DB"),
        "Named `parley`: each namespace has a server of its own.",
      ],
      [
        "postgres: `POSTGRES_USER`: irc",
        env("StatefulSet/postgres", "POSTGRES_USER", "postgres"),
        "The administrator; the server's user `parley` may change rows only.",
      ],
      [
        "postgres: `POSTGRES_PASSWORD`: irc",
        env("StatefulSet/postgres", "POSTGRES_PASSWORD_FILE"),
        file("deploy/kustomize/overlays/irc/credentials.yaml", "superuser-password"),
        "Random, made in the cluster, and a file.",
      ],
      ["postgres: a Service on 5432", service("postgres", 5432)],
      ["postgres: no volume", claim("StatefulSet/postgres", "10Gi"), "With a claim: messages outlive a pod."],
      [
        "minio: image `minio/minio:RELEASE.2024-10-13T13-34-11Z`",
        image("StatefulSet/minio", "quay.io/minio/minio:RELEASE.*"),
      ],
      [
        "minio: `server /data --console-address :9001`",
        object("StatefulSet/minio", { path: `${container}.args.*`, value: ":9001" }),
      ],
      ["minio: containerPorts 9000 and 9001", port("StatefulSet/minio", 9000), port("StatefulSet/minio", 9001)],
      [
        "minio: `MINIO_ROOT_USER`",
        env("StatefulSet/minio", "MINIO_ROOT_USER"),
        file("deploy/kustomize/overlays/irc/credentials.yaml", "MINIO_ACCESS_KEY"),
      ],
      [
        "minio: `MINIO_ROOT_PASSWORD`: minio123",
        env("StatefulSet/minio", "MINIO_ROOT_PASSWORD"),
        file("deploy/kustomize/overlays/irc/credentials.yaml", "MINIO_SECRET_KEY"),
        "Random, made in the cluster.",
      ],
      ["minio: a Service on 9000 (api) and 9001 (console)", service("minio", 9000), service("minio", 9001)],
      [
        "backend: 2 replicas, image `your-registry/irc-backend:latest`",
        replicas("backend", 2),
        image("Deployment/backend", "ghcr.io/parley-im/parley:*"),
        "A version, never `latest`.",
      ],
      ["backend: containerPort 8002", port("Deployment/backend", 8002)],
      ["backend: `JWT_SECRET`: change-me", ...signingKeys, noShared],
      [
        "backend: readiness at `/health`, port 8002",
        probe("Deployment/backend", "/health/ready"),
        "On the port of the metrics, so that the world need not see it; and liveness apart from it: a database that is away must not restart every pod.",
      ],
      [
        "backend: `initialDelaySeconds: 5`, `periodSeconds: 10`",
        object("Deployment/backend", { path: `${container}.startupProbe.periodSeconds`, value: 2 }),
        "A start-up probe: the pod is ready when it is, not after a time that somebody guessed.",
      ],
      ["backend: a Service on 8002", service("backend", 8002)],
      [
        "storage: 1 replica, image `your-registry/irc-storage:latest`",
        replicas("storage", 1),
        image("Deployment/storage", "ghcr.io/parley-im/parley:*"),
        "The same image, with the role `media`.",
      ],
      ["storage: containerPort 9101", port("Deployment/storage", 9101)],
      ["storage: a Service on 9101", service("storage", 9101)],
      [
        "frontend: 1 replica, image `your-registry/irc-frontend:latest`",
        replicas("frontend", 1),
        image("Deployment/frontend", "ghcr.io/parley-im/parley-web:*"),
      ],
      [
        "frontend: containerPort 80",
        port("Deployment/frontend", 8087),
        "8087 in the pod, which has no rights to take 80; the Service has 80.",
      ],
      ["frontend: a Service on 80", service("frontend", 80)],
      [
        "`kind: Ingress`, `irc-ingress`, host `your-domain`",
        object("Ingress/irc-ingress", { path: "spec.rules.*.host", value: "irc.localhost" }),
        "A name that every machine resolves to itself, so that it comes up without an edit.",
      ],
      ["Ingress `/`, pathType Prefix, frontend:80", path("/", "frontend")],
      [
        "Ingress `/api`, backend:8002",
        path("/_matrix", "backend"),
        path("/api", "frontend"),
        "Matrix's own paths, which clients know; `/api` goes by the frontend, which hands it on to the backend.",
      ],
      [
        "Ingress `/ws`, backend:8002",
        path("/_parley", "backend"),
        object("Ingress/irc-ingress", {
          path: "metadata.annotations.nginx\\.ingress\\.kubernetes\\.io/proxy-read-timeout",
          value: "120",
        }),
        "The stream has a path of Parley's own; `/sync` is Matrix's.",
      ],
      [
        "Ingress `/media`, storage:9101",
        path("/_matrix/client/v1/media", "storage"),
        "Matrix's own paths, which clients know.",
      ],
      [
        "pods say nothing of what they may do",
        object("Deployment/backend", { path: `${pod}.securityContext.runAsNonRoot`, value: true }),
        object("NetworkPolicy/default-deny"),
        "Restricted pods, and policies for each edge.",
      ],
    ]),
  ],
};
