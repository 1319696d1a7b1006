/** What an operator should look at, each with what to do about it, and the first steps of a new installation until they are done. */
import { describeServices } from "../appservice/for-operators.ts";
import { countPeople, listAdministrators } from "../auth/for-insight.ts";
import { countOpenActs } from "../console/audit/entries.ts";
import { readStreamState } from "../console/audit/stream/place.ts";
import { listFailing } from "../bots/webhooks.ts";
import type { Context } from "../context.ts";
import { verifiedDevices } from "../keys/verified.ts";
import { limits } from "../limits.ts";
import { countDead } from "../queue/dead.ts";
import { newer } from "../system/operations.ts";
import { listProcesses } from "../system/processes.ts";
import { lastFindings, lastRun } from "../system/runs.ts";

export interface Attention {
  /** Names the kind, for programs. */
  kind: string;
  severity: "failure" | "warning" | "notice";
  says: string;
  fix?: string | undefined;
  /** A user id, a process, a check of the doctor. */
  target?: string | undefined;
}

const DAY_MS = 86_400_000;

/** The worst first. */
export async function readAttention(ctx: Context): Promise<Attention[]> {
  const found = [
    ...(await ofAdministrators(ctx)),
    ...(await ofDoctor(ctx)),
    ...(await ofWork(ctx)),
    ...(await ofServices(ctx)),
    ...(await ofWebhooks(ctx)),
    ...(await ofAuditStream(ctx)),
    ...(await ofProcesses(ctx)),
    ...(await ofBackups(ctx)),
    ...ofControls(ctx),
  ];
  const order = ["failure", "warning", "notice"];
  return found
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
    .slice(0, limits.attention_items);
}

/** Whoever has their devices has the server. */
async function ofAdministrators(ctx: Context): Promise<Attention[]> {
  const administrators = await listAdministrators(ctx, limits.administratorStale_days);
  const verified = new Set(
    (
      await verifiedDevices(
        ctx,
        administrators.map(({ userId }) => userId),
      )
    ).map(({ userId }) => userId),
  );
  return administrators.flatMap(({ userId, devices, stale }) => [
    ...(devices.length > 0 && !verified.has(userId)
      ? [
          about(
            userId,
            warning(
              "administrator_unverified",
              `${userId} is an administrator and has no verified device.`,
              "Verify one in the messenger: Settings, Devices.",
            ),
          ),
        ]
      : []),
    ...(stale.length > 0
      ? [
          about(
            userId,
            warning(
              "administrator_stale",
              `${userId} is an administrator with ${stale.length} ${stale.length === 1 ? "device that was" : "devices that were"} not seen for ${limits.administratorStale_days} days.`,
              "Sign them out.",
            ),
          ),
        ]
      : []),
  ]);
}

function warning(kind: string, says: string, fix: string): Attention {
  return { kind, severity: "warning", says, fix };
}

const about = (target: string, what: Attention): Attention => ({ ...what, target });

/** Certificates that expire, settings that are weak, processes that lag, a disk that fills: as of its last run. */
async function ofDoctor(ctx: Context): Promise<Attention[]> {
  const last = await lastFindings(ctx);
  return (last?.findings ?? [])
    .filter(({ state }) => state !== "ok")
    .map(({ check, state, says, fix }) => ({
      kind: "doctor",
      severity: state === "failure" ? "failure" : "warning",
      says,
      fix,
      target: check,
    }));
}

async function ofWork(ctx: Context): Promise<Attention[]> {
  const dead = await countDead(ctx);
  const failed = await countFailedJobs(ctx);
  const open = await countOpenActs(ctx);
  return [
    ...(open > 0
      ? [
          warning(
            "open_acts",
            `${open} ${open === 1 ? "act" : "acts"} of operators began in the last week and ${open === 1 ? "has" : "have"} no end: a process ended in between.`,
            "Look at them in the audit log, with the outcome begun, and see what became of each.",
          ),
        ]
      : []),
    ...(dead > 0
      ? [
          warning(
            "dead_letters",
            `${dead} ${dead === 1 ? "message" : "messages"} in a queue could not be done.`,
            "Look at them under Jobs, and put them back or remove them.",
          ),
        ]
      : []),
    ...(failed > 0
      ? [
          warning(
            "failed_jobs",
            `${failed} ${failed === 1 ? "job has" : "jobs have"} failed in the last day.`,
            "Look at them under Jobs.",
          ),
        ]
      : []),
  ];
}

/** Those that have taken nothing for so long that it is no restart. */
async function ofServices(ctx: Context): Promise<Attention[]> {
  const services = await describeServices(ctx, ctx.services.all());
  const longAgo_ms = ctx.seams.now_ms() - limits.serviceAway_ms;
  return services
    .filter(({ failing_since_ts }) => failing_since_ts !== null && failing_since_ts < longAgo_ms)
    .map(({ id, failures, error }) =>
      about(
        id,
        warning(
          "service_failing",
          `The application service ${id} has taken nothing for ${failures} tries: ${error}.`,
          "See whether it runs; then have it sent what waits under Bots and integrations.",
        ),
      ),
    );
}

/** What was posted last did not come into its room; whoever sends it is told too, and may not look. */
async function ofWebhooks(ctx: Context): Promise<Attention[]> {
  return (await listFailing(ctx)).map(({ id, name, error }) =>
    about(
      id,
      warning(
        "webhook_failing",
        `What came in at the webhook ${name} last was not posted: ${error}`,
        "Look at its deliveries under Bots and integrations.",
      ),
    ),
  );
}

/** What operators do is kept all the same, and arrives later. */
async function ofAuditStream(ctx: Context): Promise<Attention[]> {
  if (!ctx.config.auditStream) return [];
  const { position, end, failing_since_ts, error } = await readStreamState(ctx);
  if (failing_since_ts === null || failing_since_ts > ctx.seams.now_ms() - limits.auditStreamAway_ms) return [];
  const says = `The audit log is not taken where it is streamed to, and ${end - position} entries wait: ${error}.`;
  return [warning("audit_stream", says, "See whether that system runs; nothing is lost meanwhile.")];
}

/** In the last 24 hours. */
export async function countFailedJobs(ctx: Context): Promise<number> {
  const row = await ctx.db.console.one<{ failed: number }>(
    "select count(*) as failed from console.jobs where state = 'failed' and ended_at > now() - interval '1 day'",
  );
  return row?.failed ?? 0;
}

async function ofProcesses(ctx: Context): Promise<Attention[]> {
  const processes = await listProcesses(ctx);
  const newest = processes.map(({ version }) => version).reduce(newer, "");
  const runs = (role: string) => processes.some(({ roles }) => roles.split(",").includes(role));
  return [
    ...processes
      .filter(({ version }) => version !== newest)
      .map((each) =>
        about(
          `${each.number}`,
          warning(
            "version_behind",
            `Process ${each.number} on ${each.host} is version ${each.version}; others are ${newest}.`,
            "Finish the upgrade, or stop it.",
          ),
        ),
      ),
    ...processes
      .filter(({ behind_entries }) => (behind_entries ?? 0) > limits.readyLag_entries)
      .map((each) =>
        about(
          `${each.number}`,
          warning(
            "log_lag",
            `Process ${each.number} on ${each.host} is ${each.behind_entries} entries behind the log.`,
            "Look at its load and at the database.",
          ),
        ),
      ),
    ...(runs("worker")
      ? []
      : [
          warning(
            "no_worker",
            "No process runs with the role worker: nothing is counted, and no job is done.",
            "Start one with ROLES=worker.",
          ),
        ]),
  ];
}

async function ofBackups(ctx: Context): Promise<Attention[]> {
  const last = await lastRun(ctx, "backup", true);
  const now_ms = ctx.seams.now_ms();
  if (!last?.ended_ms)
    return [
      {
        kind: "backup",
        severity: "notice",
        says: "No backup by Parley is known.",
        fix: "Run parley backup, or see that PostgreSQL's own backups are taken and tried.",
      },
    ];
  const days = Math.floor((now_ms - last.ended_ms) / DAY_MS);
  return days >= limits.backupOld_days
    ? [warning("backup", `The last backup is ${days} days old.`, "Run parley backup.")]
    : [];
}

function ofControls({ controls, config }: Context): Attention[] {
  const { maintenance, registration } = controls.now();
  const isPublic = config.publicUrl?.startsWith("https://") ?? false;
  return [
    ...(maintenance
      ? [warning("maintenance", `Writes are refused: “${maintenance.message}”`, "End the maintenance when it is over.")]
      : []),
    ...(registration === "open" && isPublic
      ? [
          warning(
            "registration_open",
            "Anybody who reaches the server may register.",
            "Under Sign-in, ask for a registration token.",
          ),
        ]
      : []),
  ];
}

export interface Step {
  step: string;
  title: string;
  done: boolean;
}

/** The first steps of an installation, in their order. */
export async function readSteps(ctx: Context): Promise<Step[]> {
  const administrators = await listAdministrators(ctx, limits.administratorStale_days);
  const verified = await verifiedDevices(
    ctx,
    administrators.map(({ userId }) => userId),
  );
  const { accounts } = await countPeople(ctx);
  const isDecided = ctx.controls.stored().registration !== undefined || isSet(ctx, "PARLEY_REGISTRATION");
  const backup = await lastRun(ctx, "backup", true);
  const drill = (await lastRun(ctx, "restore_drill", true)) ?? (await lastRun(ctx, "restore_verify", true));
  const examined = await lastFindings(ctx);
  return [
    { step: "administrator", title: "Make an administrator", done: administrators.length > 0 },
    { step: "verified", title: "Verify one of the administrator's devices", done: verified.length > 0 },
    { step: "public_url", title: "Set the public address", done: ctx.config.publicUrl !== undefined },
    { step: "registration", title: "Decide who may register", done: isDecided },
    { step: "people", title: "Invite somebody", done: accounts > 1 },
    {
      step: "doctor",
      title: "Have the doctor find nothing that fails",
      done: examined !== undefined && examined.findings.every(({ state }) => state !== "failure"),
    },
    { step: "backup", title: "Take a backup", done: backup !== undefined },
    { step: "drill", title: "Try to restore it", done: drill !== undefined },
  ];
}

function isSet({ config }: Context, name: string): boolean {
  return config.sources.some((each) => each.name === name && each.from !== "default");
}
