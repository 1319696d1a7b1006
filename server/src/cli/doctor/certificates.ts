/** Until when the certificates are good that whoever Parley speaks TLS to shows, and those in files that the settings name. */
import { X509Certificate } from "node:crypto";
import { within } from "../../db/outage.ts";
import { asError } from "../../errors.ts";
import { type CertificateFile, certificateFilesOf, type Endpoint, endpointsOf } from "./endpoints.ts";
import type { Check, Finding, Patient } from "./finding.ts";
import { NoTls, readValidity, shortest, type Validity } from "./tls.ts";

const WARNING_DAYS = 14;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 5_000;
const NAME = "certificates";

export const certificates: Check = {
  name: NAME,
  async look({ config, seams }) {
    const { endpoints, unread } = endpointsOf(config);
    const found = [
      ...(await Promise.all(endpoints.map((endpoint) => examine(endpoint, seams)))),
      ...certificateFilesOf(config).map((file) => examineFile(file, seams.now_ms())),
      ...unread.map(({ setting, why }) => unreadable(`The address in ${setting}`, why, "Set it, or its file, right.")),
    ];
    return found.length > 0 ? found : [{ check: NAME, state: "ok", says: "No address in the settings asks for TLS." }];
  },
};

async function examine(endpoint: Endpoint, seams: Patient["seams"]): Promise<Finding> {
  const where = `The certificate of ${endpoint.setting} (${endpoint.host}:${endpoint.port})`;
  try {
    return judge(where, await within(seams, PATIENCE_MS, readValidity(endpoint, PATIENCE_MS)), seams.now_ms());
  } catch (thrown) {
    // A mail server in the same network may do without; the mailer takes TLS where it is offered.
    if (thrown instanceof NoTls && endpoint.begin === "smtp")
      return {
        check: NAME,
        state: "ok",
        says: `${endpoint.setting} (${endpoint.host}:${endpoint.port}) offers no TLS.`,
      };
    const why = asError(thrown).message || "the connection was refused";
    return unreadable(where, why, "Check that it runs and speaks TLS at this port.");
  }
}

/** A bundle of authorities is good for as long as one of them is. */
function examineFile({ setting, read, isChain }: CertificateFile, now_ms: number): Finding {
  const where = `The certificate in ${setting}`;
  try {
    const blocks = read().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) throw new Error("there is none in PEM");
    const all = blocks.map((each) => new X509Certificate(each));
    const dates = all.map(({ validFrom, validTo }) => ({
      from_ms: Date.parse(validFrom),
      until_ms: Date.parse(validTo),
    }));
    const [longest] = dates.toSorted((a, b) => b.until_ms - a.until_ms);
    return judge(where, isChain || !longest ? shortest(dates) : longest, now_ms);
  } catch (thrown) {
    return unreadable(where, asError(thrown).message, "Put it where the setting says, in PEM.");
  }
}

function judge(where: string, { from_ms, until_ms }: Validity, now_ms: number): Finding {
  const days = Math.floor((until_ms - now_ms) / DAY_MS);
  const date = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10);
  const found = (state: Finding["state"], says: string, fix?: string): Finding => ({
    check: NAME,
    state,
    says: `${where} ${says}.`,
    ...(fix === undefined ? {} : { fix }),
  });
  if (from_ms > now_ms)
    return found("failure", `is good from ${date(from_ms)} on only`, "Look at the clocks, or renew it.");
  if (days >= WARNING_DAYS) return found("ok", `is good until ${date(until_ms)}`);
  const fix = "Renew it, and see why that does not happen by itself (cert-manager, certbot).";
  return days < 0
    ? found("failure", `expired on ${date(until_ms)}`, fix)
    : found("warning", `expires in ${days} days, on ${date(until_ms)}`, fix);
}

function unreadable(what: string, why: string, fix: string): Finding {
  return { check: NAME, state: "failure", says: `${what} can not be read: ${why}.`, fix };
}
