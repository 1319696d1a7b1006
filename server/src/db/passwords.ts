/** A password as PostgreSQL keeps it, made here, so that the password itself is in no statement that a log could show. */
import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import type { Seams } from "../seams.ts";

const ITERATIONS = 4_096;

/** The SCRAM-SHA-256 verifier of an ASCII password. RFC 5803; PostgreSQL, "pg_authid". */
export async function scramVerifier(password: string, seams: Pick<Seams, "randomBytes">): Promise<string> {
  const salt = Buffer.from(seams.randomBytes(16));
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, "sha256");
  const keyOf = (name: string) => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
}
