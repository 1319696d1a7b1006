/**
 * The fields of CloudNativePG (postgresql.cnpg.io/v1) that are used here, written down from its API reference: no package has
 * the schemas. A field that is not here is refused, so whoever needs another one looks it up first.
 */
import { Ajv, type SchemaObject } from "ajv";

const text = { type: "string", minLength: 1 };
const whole = { type: "integer", minimum: 0 };
const flag = { type: "boolean" };
const texts = { type: "array", items: text };
const map = { type: "object", additionalProperties: { type: "string" } };
const anything = { type: "object" };

function closed(properties: Record<string, SchemaObject>, required: readonly string[] = []): SchemaObject {
  return { type: "object", properties, required: [...required], additionalProperties: false };
}

const listOf = (items: SchemaObject): SchemaObject => ({ type: "array", items });
const key = closed({ name: text, key: text }, ["name", "key"]);
const named = closed({ name: text }, ["name"]);

const s3Credentials = closed({
  accessKeyId: key,
  secretAccessKey: key,
  region: key,
  sessionToken: key,
  inheritFromIAMRole: flag,
});

const archive = closed({
  compression: { enum: ["bzip2", "gzip", "lz4", "snappy", "xz", "zstd"] },
  encryption: { enum: ["AES256", "aws:kms"] },
  jobs: whole,
  maxParallel: whole,
  immediateCheckpoint: flag,
});

const barmanObjectStore = closed(
  {
    destinationPath: { type: "string", pattern: "^(s3|https?|gs)://" },
    endpointURL: text,
    endpointCA: key,
    serverName: text,
    s3Credentials,
    googleCredentials: closed({ applicationCredentials: key, gkeEnvironment: flag }),
    azureCredentials: closed({ connectionString: key, storageAccount: key, storageKey: key, inheritFromAzureAD: flag }),
    data: archive,
    wal: archive,
    tags: map,
    historyTags: map,
  },
  ["destinationPath"],
);

const plugin = closed({ name: text, enabled: flag, isWALArchiver: flag, parameters: map }, ["name"]);

const references = closed({ secretRefs: listOf(key), configMapRefs: listOf(key) });

const initdb = closed({
  database: text,
  owner: text,
  secret: named,
  dataChecksums: flag,
  encoding: text,
  localeProvider: { enum: ["libc", "icu", "builtin"] },
  locale: text,
  localeCollate: text,
  localeCType: text,
  walSegmentSize: whole,
  postInitSQL: texts,
  postInitApplicationSQL: texts,
  postInitTemplateSQL: texts,
  postInitSQLRefs: references,
  postInitApplicationSQLRefs: references,
});

const recovery = closed({
  source: text,
  backup: closed({ name: text, endpointCA: key }, ["name"]),
  database: text,
  owner: text,
  secret: named,
  recoveryTarget: closed({
    backupID: text,
    targetTime: text,
    targetLSN: text,
    targetName: text,
    targetXID: text,
    targetTLI: text,
    targetImmediate: flag,
    exclusive: flag,
  }),
});

const storage = closed({
  size: { type: "string", pattern: "^\\d+(Mi|Gi|Ti)$" },
  storageClass: text,
  resizeInUseVolumes: flag,
  pvcTemplate: anything,
});

const resources = closed({
  requests: { type: "object", additionalProperties: { type: ["string", "integer"] } },
  limits: { type: "object", additionalProperties: { type: ["string", "integer"] } },
});

const managedRole = closed(
  {
    name: text,
    comment: text,
    ensure: { enum: ["present", "absent"] },
    passwordSecret: named,
    disablePassword: flag,
    connectionLimit: { type: "integer" },
    validUntil: text,
    inRoles: texts,
    inherit: flag,
    login: flag,
    superuser: flag,
    createdb: flag,
    createrole: flag,
    replication: flag,
    bypassrls: flag,
  },
  ["name"],
);

const clusterSpec = closed(
  {
    description: text,
    imageName: text,
    imageCatalogRef: closed({
      apiGroup: text,
      kind: { enum: ["ImageCatalog", "ClusterImageCatalog"] },
      name: text,
      major: whole,
    }),
    imagePullPolicy: { enum: ["Always", "Never", "IfNotPresent"] },
    imagePullSecrets: listOf(named),
    instances: { type: "integer", minimum: 1 },
    minSyncReplicas: whole,
    maxSyncReplicas: whole,
    postgresUID: whole,
    postgresGID: whole,
    postgresql: closed({
      parameters: map,
      pg_hba: texts,
      pg_ident: texts,
      shared_preload_libraries: texts,
      promotionTimeout: whole,
      synchronous: closed(
        {
          method: { enum: ["any", "first"] },
          number: { type: "integer", minimum: 1 },
          maxStandbyNamesFromCluster: whole,
          standbyNamesPre: texts,
          standbyNamesPost: texts,
          dataDurability: { enum: ["required", "preferred"] },
          failoverQuorum: flag,
        },
        ["method", "number"],
      ),
    }),
    bootstrap: closed({
      initdb,
      recovery,
      pg_basebackup: closed({ source: text, database: text, owner: text, secret: named }, ["source"]),
    }),
    externalClusters: listOf(
      closed(
        {
          name: text,
          barmanObjectStore,
          plugin,
          connectionParameters: map,
          password: key,
          sslCert: key,
          sslKey: key,
          sslRootCert: key,
        },
        ["name"],
      ),
    ),
    replica: closed({ enabled: flag, source: text, primary: text, self: text }),
    superuserSecret: named,
    enableSuperuserAccess: flag,
    certificates: closed({
      serverCASecret: text,
      serverTLSSecret: text,
      clientCASecret: text,
      replicationTLSSecret: text,
      serverAltDNSNames: texts,
    }),
    storage,
    walStorage: storage,
    startDelay: whole,
    stopDelay: whole,
    smartShutdownTimeout: whole,
    switchoverDelay: whole,
    failoverDelay: whole,
    affinity: closed({
      enablePodAntiAffinity: flag,
      topologyKey: text,
      podAntiAffinityType: { enum: ["preferred", "required"] },
      nodeSelector: map,
      tolerations: listOf(anything),
      nodeAffinity: anything,
      additionalPodAffinity: anything,
      additionalPodAntiAffinity: anything,
    }),
    topologySpreadConstraints: listOf(anything),
    resources,
    ephemeralVolumesSizeLimit: closed({ shm: text, temporaryData: text }),
    priorityClassName: text,
    primaryUpdateStrategy: { enum: ["supervised", "unsupervised"] },
    primaryUpdateMethod: { enum: ["switchover", "restart"] },
    backup: closed({
      barmanObjectStore,
      retentionPolicy: { type: "string", pattern: "^[1-9]\\d*[dwm]$" },
      target: { enum: ["primary", "prefer-standby"] },
      volumeSnapshot: anything,
    }),
    plugins: listOf(plugin),
    managed: closed({ roles: listOf(managedRole), services: anything }),
    monitoring: closed({
      enablePodMonitor: flag,
      disableDefaultQueries: flag,
      customQueriesConfigMap: listOf(key),
      customQueriesSecret: listOf(key),
      tls: closed({ enabled: flag }),
    }),
    nodeMaintenanceWindow: closed({ inProgress: flag, reusePVC: flag }),
    logLevel: { enum: ["error", "warning", "info", "debug", "trace"] },
    seccompProfile: anything,
    inheritedMetadata: closed({ labels: map, annotations: map }),
    serviceAccountTemplate: anything,
    replicationSlots: anything,
    enablePDB: flag,
    env: listOf(anything),
    tablespaces: listOf(anything),
  },
  ["instances", "storage"],
);

const backupCommon = {
  cluster: named,
  method: { enum: ["barmanObjectStore", "volumeSnapshot", "plugin"] },
  target: { enum: ["primary", "prefer-standby"] },
  online: flag,
  onlineConfiguration: closed({ immediateCheckpoint: flag, waitForArchive: flag }),
  pluginConfiguration: closed({ name: text, parameters: map }, ["name"]),
};

const specs: Readonly<Record<string, SchemaObject>> = {
  Cluster: clusterSpec,
  Backup: closed(backupCommon, ["cluster"]),
  ScheduledBackup: closed(
    {
      ...backupCommon,
      // Six fields: seconds come first, unlike in a CronJob.
      schedule: { type: "string", pattern: "^(@\\w+|\\S+( \\S+){5})$" },
      immediate: flag,
      suspend: flag,
      backupOwnerReference: { enum: ["none", "self", "cluster"] },
    },
    ["cluster", "schedule"],
  ),
  Pooler: closed(
    {
      cluster: named,
      type: { enum: ["rw", "ro", "r"] },
      instances: whole,
      pgbouncer: anything,
      template: anything,
      monitoring: anything,
      serviceTemplate: anything,
      deploymentStrategy: anything,
    },
    ["cluster", "pgbouncer"],
  ),
  Database: closed(
    {
      cluster: named,
      name: text,
      owner: text,
      ensure: { enum: ["present", "absent"] },
      databaseReclaimPolicy: { enum: ["retain", "delete"] },
      extensions: listOf(
        closed({ name: text, ensure: { enum: ["present", "absent"] }, version: text, schema: text }, ["name"]),
      ),
      schemas: listOf(closed({ name: text, owner: text, ensure: { enum: ["present", "absent"] } }, ["name"])),
    },
    ["cluster", "name", "owner"],
  ),
  ImageCatalog: closed({ images: listOf(closed({ major: whole, image: text }, ["major", "image"])) }, ["images"]),
  ClusterImageCatalog: closed({ images: listOf(closed({ major: whole, image: text }, ["major", "image"])) }, [
    "images",
  ]),
};

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

const metadata = closed({ name: text, namespace: text, labels: map, annotations: map }, ["name"]);

/** What is wrong with an object of CloudNativePG. */
export function cnpgProblems(object: { apiVersion: string; kind: string }): string[] {
  const spec = specs[object.kind];
  if (!spec || object.apiVersion !== "postgresql.cnpg.io/v1")
    return [`there is no ${object.kind} in ${object.apiVersion}`];
  const whole = closed({ apiVersion: text, kind: text, metadata, spec }, ["apiVersion", "kind", "metadata", "spec"]);
  const validate = ajv.compile(whole);
  if (validate(object)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty } = params as { additionalProperty?: string };
    const at = instancePath.slice(1).replaceAll("/", ".");
    return additionalProperty ? `there is no field ${at}.${additionalProperty}` : `${at} ${message}`;
  });
}
