/** Until when the certificates are good that the database, the brokers and the public address show. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { serverOf } from "../../auth/email/config.ts";
import type { Config } from "../../config.ts";
import { readHosts } from "../../db/hosts.ts";
import { within } from "../../db/outage.ts";
import { asError } from "../../errors.ts";
import type { Check, Finding, Patient } from "./finding.ts";

const WARNING_DAYS = 14;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 5_000;

export interface Endpoint {
  /** The setting that names it. */
  setting: string;
  host: string;
  port: number;
  /** What comes before TLS begins. */
  begin: "at once" | "postgresql" | "nats";
}

export const certificates: Check = {
  name: "certificates",
  async look(patient) {
    const endpoints = endpointsOf(patient.config);
    if (endpoints.length === 0)
      return [{ check: "certificates", state: "ok", says: "No address in the settings asks for TLS." }];
    return Promise.all(endpoints.map((endpoint) => examine(endpoint, patient)));
  },
};

/** Of each address that asks for TLS. */
export function endpointsOf(config: Config): Endpoint[] {
  const plain = [
    { setting: "REDIS_URL", address: config.redisUrl, protocol: "rediss:", port: 6_379, begin: "at once" },
    { setting: "NATS_URL", address: config.natsUrl, protocol: "tls:", port: 4_222, begin: "nats" },
    { setting: "RABBITMQ_URL", address: config.rabbitmqUrl, protocol: "amqps:", port: 5_671, begin: "at once" },
    {
      setting: "SMTP_URL",
      address: config.mail && serverOf(config.mail),
      protocol: "smtps:",
      port: 465,
      begin: "at once",
    },
    { setting: "PARLEY_PUBLIC_URL", address: config.publicUrl, protocol: "https:", port: 443, begin: "at once" },
  ] as const;
  const asked = plain.flatMap(({ setting, address, protocol, port, begin }) => {
    const url = address && URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== protocol) return [];
    return [{ setting, host: hostOf(url), port: Number(url.port) || port, begin }];
  });
  return [...databaseEndpoints(config.databaseUrl), ...asked];
}

function databaseEndpoints(address: string | undefined): Endpoint[] {
  const urls = address === undefined ? [] : readHosts(address).urls;
  return urls.flatMap((each) => {
    const url = URL.canParse(each) ? new URL(each) : undefined;
    const mode = url?.searchParams.get("sslmode") ?? "disable";
    if (!url || !url.hostname || url.hostname.startsWith("%2F") || mode === "disable") return [];
    return [
      { setting: "DATABASE_URL", host: hostOf(url), port: Number(url.port) || 5_432, begin: "postgresql" as const },
    ];
  });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

async function examine(endpoint: Endpoint, { seams }: Pick<Patient, "seams">): Promise<Finding> {
  const where = `${endpoint.setting} (${endpoint.host}:${endpoint.port})`;
  try {
    const until_ms = await within(seams, PATIENCE_MS, readExpiry(endpoint));
    return judge(where, Math.floor((until_ms - seams.now_ms()) / DAY_MS), new Date(until_ms));
  } catch (thrown) {
    return {
      check: "certificates",
      state: "failure",
      says: `The certificate of ${where} can not be read: ${asError(thrown).message || "the connection was refused"}.`,
      fix: "Check that it runs and speaks TLS at this port.",
    };
  }
}

function judge(where: string, days: number, until: Date): Finding {
  const date = until.toISOString().slice(0, 10);
  if (days >= WARNING_DAYS)
    return { check: "certificates", state: "ok", says: `The certificate of ${where} is good until ${date}.` };
  const fix = "Renew it, and see why that does not happen by itself (cert-manager, certbot).";
  return days < 0
    ? { check: "certificates", state: "failure", says: `The certificate of ${where} expired on ${date}.`, fix }
    : {
        check: "certificates",
        state: "warning",
        says: `The certificate of ${where} expires in ${days} days, on ${date}.`,
        fix,
      };
}

/** When the certificate that is shown ends, whoever signed it. */
async function readExpiry({ host, port, begin }: Endpoint): Promise<number> {
  const socket = connectTcp({ host, port });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("it does not answer")));
  try {
    await new Promise((resolve, reject) => void socket.once("connect", resolve).once("error", reject));
    await beginTls(socket, begin);
    const secured = connectTls({ socket, servername: /^[\d.:]+$/.test(host) ? "" : host, rejectUnauthorized: false });
    await new Promise((resolve, reject) => void secured.once("secureConnect", resolve).once("error", reject));
    return validTo(secured);
  } finally {
    socket.destroy();
  }
}

function validTo(secured: TLSSocket): number {
  const { valid_to } = secured.getPeerCertificate();
  secured.destroy();
  if (!valid_to) throw new Error("it shows no certificate");
  return Date.parse(valid_to);
}

/** PostgreSQL is asked for TLS first (SSLRequest), and NATS says a line before it. */
async function beginTls(socket: Socket, begin: Endpoint["begin"]): Promise<void> {
  if (begin === "at once") return;
  if (begin === "postgresql") socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  const first = await new Promise<Buffer>((resolve, reject) => void socket.once("data", resolve).once("error", reject));
  if (begin === "postgresql" && first.toString("latin1") !== "S") throw new Error("it does not offer TLS");
  if (begin === "nats" && !/"tls_(required|available)": ?true/.test(first.toString("latin1")))
    throw new Error("it does not offer TLS");
}
