import { below, command, file, overlay, page, type Seed, setting } from "./row.ts";

const { object, replicas, port, service, env, image, probe, data, claim, container, pod, wave } = overlay("telegram");
const kubernetes = (heading: string) => page("kubernetes", heading);
const own = (name: string, text?: string) => file(`deploy/kustomize/overlays/telegram/${name}`, text);
const base = (name: string, text?: string) => file(`deploy/kustomize/base/${name}`, text);

const ownKeys =
  "ES256 too, by a ring of keys that Parley makes and replaces by itself: they are in the database, wrapped with a master key where `AUTH_KEY_STORAGE_BACKEND` says so, and in no file that somebody makes, mounts or forgets to change.";
const signingKeys = [setting("AUTH_SIGNING_KEY_DAYS"), page("secrets", "The keys that sign")] as const;
const oneImage = "One image for all roles, with a version; `ROLES` says what a pod does.";
const noLatest = "A version is pulled once and is the same tomorrow; `latest` is not.";
const noApply = "One `kubectl apply -k`: pods wait for the Secrets, the database and the schema by themselves.";

export const miniTelegram: Seed = {
  name: "mini-telegram",
  title: "gateways and workers on RabbitMQ, on k3d",
  rows: [
    ...below("File structure", [
      ["`namespace.yaml`", own("namespace.yaml")],
      ["`configmap.yaml`", own("kustomization.yaml", "app-config")],
      ["`secret.yaml`", own("credentials.yaml")],
      ["`postgres.yaml`", base("postgres/statefulset.yaml")],
      ["`redis.yaml`", base("redis/statefulset.yaml")],
      ["`rabbitmq.yaml`", base("rabbitmq/statefulset.yaml")],
      ["`gateway.yaml`", own("gateway.yaml")],
      ["`chat-svc.yaml`", own("chat-svc.yaml")],
      ["`presence-svc.yaml`", own("presence-svc.yaml")],
    ]),
    ...below("namespace.yaml", [["a Namespace `minitelegram`, for all resources", object("Namespace/minitelegram")]]),
    ...below("configmap.yaml", [
      [
        "the database's connection string (DSN)",
        env("Deployment/gateway", "DATABASE_URL", "file:///run/secrets/parley/DATABASE_URL"),
        "It has a password in it: it is in the Secret, and mounted as a file.",
      ],
      ["Redis address", env("Deployment/gateway", "REDIS_URL"), "In the Secret, since it has a password."],
      ["RabbitMQ URL", env("Deployment/gateway", "RABBITMQ_URL"), "In the Secret, since it has a password."],
      ["JWT key path", ...signingKeys, ownKeys],
      ["server port", env("Deployment/gateway", "PARLEY_PORT", "8080")],
      [
        "configuration for all pods, changed without a new image",
        data("app-config", "PARLEY_QUEUE", "rabbitmq"),
        "With a hash in its name: a change rolls the pods, which otherwise go on with what was.",
      ],
    ]),
    ...below("secret.yaml", [
      ["JWT private keys", ...signingKeys, ownKeys],
      [
        "base64, restricted access",
        own("credentials.yaml", "postgres-credentials"),
        kubernetes("Where the passwords come from"),
        "Base64 hides nothing: nothing of it is in a file, and each pod gets the keys that it needs.",
      ],
      [
        "mounted as a file in the pods that need it",
        object("Deployment/gateway", { path: `${container}.volumeMounts.*.mountPath`, value: "/run/secrets/parley" }),
      ],
    ]),
    ...below("postgres.yaml", [
      ["PersistentVolumeClaim, 5GB", claim("StatefulSet/postgres", "5Gi")],
      ["Service, ClusterIP (postgres:5432)", service("postgres", 5432)],
      [
        "Deployment",
        object("StatefulSet/postgres"),
        "A StatefulSet: a Deployment may for a moment have two pods on one volume.",
      ],
      [
        "data survives restarts",
        object("StatefulSet/postgres", { path: "spec.volumeClaimTemplates.*.metadata.name", value: "postgres-data" }),
      ],
    ]),
    ...below("redis.yaml", [
      [
        "Redis for caching and presence",
        data("app-config", "PARLEY_EPHEMERAL", "redis"),
        data("app-config", "PARLEY_BUS", "redis"),
      ],
      ["Service, ClusterIP (redis:6379)", service("redis", 6379)],
      [
        "Deployment with AOF",
        own("credentials.yaml", "appendonly yes"),
        object("StatefulSet/redis", { path: "spec.volumeClaimTemplates.*.metadata.name", value: "redis-data" }),
        "A StatefulSet with a claim: an append-only file in a pod's own layer is gone with it.",
      ],
      ["a single replica", object("StatefulSet/redis", { path: "spec.replicas", value: 1 })],
    ]),
    ...below("rabbitmq.yaml", [
      ["Service: AMQP (5672)", service("rabbitmq", 5672)],
      ["Service: management UI (15672)", service("rabbitmq", 15672)],
      [
        "Deployment with the management plugin",
        image("StatefulSet/rabbitmq", "docker.io/library/rabbitmq:*-management"),
        "A StatefulSet with a claim: what waits in a queue outlives a pod.",
      ],
      ["port 5672: AMQP", port("StatefulSet/rabbitmq", 5672)],
      [
        "port 15672: management",
        port("StatefulSet/rabbitmq", 15672),
        kubernetes("The telegram overlay"),
        "By port-forward only: no policy lets a pod in there.",
      ],
    ]),
    ...below("gateway.yaml", [
      ["Service, LoadBalancer", service("gateway", 8080, "LoadBalancer")],
      ["port 9090 by k3d", kubernetes("The telegram overlay")],
      ["Deployment, 2 replicas", replicas("gateway", 2)],
      ["REST", env("Deployment/gateway", "ROLES", "auth,keys,messages,gateway,presence,web")],
      ["WebSocket", file("docs/protocol/stream.md")],
      [
        "publishes to RabbitMQ",
        env("Deployment/gateway", "PARLEY_QUEUE_WORKER", "off"),
        setting("PARLEY_QUEUE_WORKER"),
      ],
      ["needs JWT keys, mounted", ...signingKeys, ownKeys],
      ["scales to more", kubernetes("Scale")],
    ]),
    ...below("chat-svc.yaml", [
      [
        "consumes `chat.messages`",
        env("Deployment/chat-svc", "ROLES", "messages,worker"),
        page("queues", "What goes through it"),
      ],
      ["persists to PostgreSQL", file("server/src/messages/send-queue.ts", "startSendWorker")],
      [
        "creates delivery receipts",
        file("docs/protocol/delivery.md"),
        "A receipt when a device has the message, sent by the device: a server that wrote it down knows nothing of delivery.",
      ],
      ["publishes delivery events", file("server/src/presence/receipts-delivered.ts")],
      ["3 replicas, competing", replicas("chat-svc", 3)],
      ["no Service", own("chat-svc.yaml", "No Service")],
    ]),
    ...below("presence-svc.yaml", [
      [
        "read receipts in batches",
        env("Deployment/presence-svc", "ROLES", "presence,worker"),
        file("server/src/presence/receipts-write.ts"),
      ],
      [
        "user presence",
        file("server/src/presence/routes.ts"),
        "Presence and typing go to Redis at once, by whoever is asked: a queue would make them late.",
      ],
      ["online and offline events", file("server/src/ephemeral/ephemeral.ts")],
      ["2 replicas", replicas("presence-svc", 2)],
    ]),
    ...below("Deployment order", [
      ["`kubectl apply -f namespace.yaml` first", wave("Namespace/minitelegram", "-3"), noApply],
      ["… then `configmap.yaml` and `secret.yaml`", wave("Job/credentials", "-2"), noApply],
      ["… with the JWT key filled in", kubernetes("Where the passwords come from"), "There is nothing to fill in."],
      [
        "… then `postgres.yaml`, `redis.yaml`, `rabbitmq.yaml`",
        wave("StatefulSet/postgres", "-1"),
        wave("StatefulSet/redis", "-1"),
        wave("StatefulSet/rabbitmq", "-1"),
        noApply,
      ],
      [
        "… then `gateway.yaml`, `chat-svc.yaml`, `presence-svc.yaml`",
        wave("Deployment/gateway", "1"),
        object("Deployment/gateway", { path: `${pod}.initContainers.*.args.*`, value: "wait" }),
        noApply,
      ],
      ["all at once: `kubectl apply -f k8s/`", kubernetes("The telegram overlay"), noApply],
    ]),
    ...below("Key concepts", [
      [
        "`type: ClusterIP` for postgres, redis, rabbitmq",
        service("postgres", 5432),
        service("redis", 6379),
        service("rabbitmq", 5672),
      ],
      ["`type: LoadBalancer` for the gateway", service("gateway", 8080, "LoadBalancer")],
      ["`replicas: 2`", replicas("gateway", 2)],
      [
        "selector `app: gateway`",
        object("Deployment/gateway", { path: "spec.selector.matchLabels.app", value: "gateway" }),
      ],
      [
        "`imagePullPolicy: Always`",
        object("Deployment/gateway", { path: `${container}.imagePullPolicy`, value: "IfNotPresent" }),
        noLatest,
      ],
      [
        "`DSN` from the ConfigMap `app-config`",
        object("Deployment/gateway", { path: `${container}.envFrom.*.configMapRef.name` }),
        setting("DSN"),
        "All settings by `envFrom`. `DSN` is taken, as another name of `DATABASE_URL`; it has a password in it, and is in a Secret here.",
      ],
      [
        "`jwt-keys` mounted at `/secrets`",
        object("Deployment/gateway", { path: `${container}.volumeMounts.*.mountPath`, value: "/run/secrets/parley" }),
        ...signingKeys,
        ownKeys,
      ],
      ["PVC of 5Gi", claim("StatefulSet/postgres", "5Gi")],
    ]),
    ...below("Networking", [
      ["postgres:5432", service("postgres", 5432)],
      ["redis:6379", service("redis", 6379)],
      ["rabbitmq:5672", service("rabbitmq", 5672)],
      [
        "gateway:8080 (pod to pod)",
        service("gateway", 8080, "LoadBalancer"),
        "Nobody in the cluster has to: who connects to the gateway comes from outside.",
      ],
      [
        "localhost:9090 to gateway:8080 (HTTP/WebSocket)",
        kubernetes("The telegram overlay"),
        data("app-config", "PARLEY_PUBLIC_URL", "http://localhost:9090"),
      ],
      [
        "localhost:5433 to postgres:5432 (if needed)",
        kubernetes("The telegram overlay"),
        "By port-forward, while somebody needs it.",
      ],
      [
        "pods may connect to all",
        object("NetworkPolicy/default-deny"),
        object("NetworkPolicy/to-rabbitmq"),
        "Nothing but the edges that are named.",
      ],
    ]),
    ...below("Resource architecture", [
      [
        "two gateways behind the load balancer, on PostgreSQL, Redis and RabbitMQ",
        object(
          "Deployment/gateway",
          { path: "spec.template.metadata.labels.parley\\.im/uses-rabbitmq", value: "true" },
          { path: "spec.template.metadata.labels.parley\\.im/uses-redis", value: "true" },
        ),
      ],
      [
        "chat-svc ×3 and presence ×2 on the same",
        object("Deployment/chat-svc", {
          path: "spec.template.metadata.labels.parley\\.im/uses-rabbitmq",
          value: "true",
        }),
        object("Deployment/presence-svc", {
          path: "spec.template.metadata.labels.parley\\.im/uses-rabbitmq",
          value: "true",
        }),
      ],
      [
        "no place for files",
        object("Deployment/media"),
        object("PersistentVolumeClaim/media"),
        "A media pod with a claim, since Matrix has files.",
      ],
    ]),
    ...below("Useful commands", [
      ["`kubectl get all -n minitelegram`, pods, services", kubernetes("Look"), command("release status")],
      [
        "`kubectl logs -n minitelegram deployment/gateway`, `-l app=gateway`",
        kubernetes("Look"),
        object("Deployment/gateway", { path: "spec.template.metadata.labels.app", value: "gateway" }),
      ],
      ["`kubectl describe pod`", kubernetes("Look")],
      ["`kubectl exec -it … /bin/sh`", kubernetes("Look")],
      ["`kubectl scale deployment gateway --replicas=5`", kubernetes("Scale")],
      ["`kubectl scale deployment chat-svc --replicas=10`", kubernetes("Scale")],
      ["`kubectl delete namespace minitelegram`", kubernetes("Remove")],
    ]),
    ...below("Before deploying", [
      [
        "build `Dockerfile.gateway`, `Dockerfile.chat-svc`, `Dockerfile.presence-svc`",
        file("deploy/Dockerfile"),
        oneImage,
      ],
      [
        "push `ghcr.io/sthics/telegram/gateway:latest` and the others",
        file(".github/workflows/build-images.yml"),
        image("Deployment/chat-svc", "ghcr.io/parley-im/parley:*"),
        oneImage,
      ],
      ["create the Secret `jwt-keys` with `es256.key`", ...signingKeys, ownKeys],
    ]),
    ...below("Scaling strategy", [
      ["gateway: more connections (10)", kubernetes("Scale"), object("PodDisruptionBudget/gateway")],
      ["chat-svc: more throughput (20)", kubernetes("Scale"), page("queues", "How many workers")],
      ["presence-svc: by read receipts (5)", kubernetes("Scale"), page("queues", "Watching it")],
      ["shared queues `chat.messages`, `read.receipts`: workers compete, no coordination", page("queues", "RabbitMQ")],
      [
        "linear scalability",
        page("queues", "How many workers"),
        "As long as a worker waits for the database; then the log is the limit, and the page says where.",
      ],
    ]),
    ...below("Production considerations", [
      [
        "1. requests: memory 256Mi, cpu 250m",
        base("messages/deployment.yaml", "requests: { cpu: 250m, memory: 384Mi }"),
        file("deploy/src/release.ts", 'cpu: "250m"'),
        object("Deployment/chat-svc", { path: `${container}.resources.requests.cpu` }),
        "384Mi, with what 1,000 rooms take. The overlay itself asks for less, so that it has room on a laptop: components/trial.",
      ],
      [
        "1. limits: memory 512Mi, cpu 500m",
        object("Deployment/chat-svc", { path: `${container}.resources.limits.memory`, value: "1Gi" }),
        "1Gi and two processors: a limit that is met in a burst makes every socket of the pod late.",
      ],
      [
        "2. liveness at `/health`, port 8080",
        object("Deployment/gateway", { path: `${container}.livenessProbe.httpGet.path`, value: "/health/live" }),
        "`/health/live`, on the port of the metrics.",
      ],
      [
        "2. readiness at `/health`, port 8080",
        probe("Deployment/gateway", "/health/ready"),
        "`/health/ready`: the schema, the database and the lag behind the log.",
      ],
      [
        "3. an Ingress in place of the LoadBalancer",
        file("deploy/kustomize/overlays/irc/ingress.yaml"),
        file("deploy/helm/parley/templates/ingress.yaml"),
      ],
      ["4. TLS", kubernetes("What you need"), file("deploy/helm/parley/templates/ingress.yaml", "tls")],
      [
        "5. Sealed Secrets or external managers",
        file("deploy/helm/parley/templates/secrets.yaml", "ExternalSecret"),
        kubernetes("Where the passwords come from"),
      ],
      [
        "6. Prometheus and Grafana",
        file("deploy/helm/parley/templates/monitoring.yaml", "ServiceMonitor"),
        page("observability", "Metrics"),
      ],
      ["7. ELK or Loki", page("observability", "Logs"), kubernetes("Look")],
    ]),
  ],
};
