/** A certificate for 127.0.0.1, signed by itself: what a test's own HTTPS server shows. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Makes it with openssl, which Debian and every CI machine have, in the folder. */
export function certificate(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, "server.key"), join(folder, "server.crt")];
  const subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", cert];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
