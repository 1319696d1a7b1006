/** The certificates that a server shows, whoever signed them, and however it comes to TLS. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import type { Begin, Endpoint } from "./endpoints.ts";

/** The server speaks, and knows no TLS. */
export class NoTls extends Error {}

/** From when until when a certificate is good. */
export interface Validity {
  from_ms: number;
  until_ms: number;
}

/**
 * The shortest of the server's own certificate and those above it. A server that asks for a certificate of ours has shown its own
 * by then. Throws NoTls, and what the network says.
 */
export async function readValidity({ host, port, begin }: Endpoint, patience_ms: number): Promise<Validity> {
  const socket = connectTcp({ host, port });
  socket.setTimeout(patience_ms, () => socket.destroy(new Error("it does not answer")));
  try {
    await new Promise((resolve, reject) => void socket.once("connect", resolve).once("error", reject));
    await begins[begin](socket);
    const secured = connectTls({ socket, servername: /^[\d.:]+$/.test(host) ? "" : host, rejectUnauthorized: false });
    await new Promise((resolve, reject) => void secured.once("secureConnect", resolve).once("error", reject));
    return validityOf(secured);
  } finally {
    socket.destroy();
  }
}

function validityOf(secured: TLSSocket): Validity {
  secured.on("error", () => {});
  const shown = chainOf(secured.getPeerCertificate(true)).map(({ valid_from, valid_to }) => ({
    from_ms: Date.parse(valid_from),
    until_ms: Date.parse(valid_to),
  }));
  secured.destroy();
  if (shown.length === 0) throw new Error("it shows no certificate");
  return shortest(shown);
}

/** Of several that are all needed. */
export function shortest(all: readonly Validity[]): Validity {
  return {
    from_ms: Math.max(...all.map(({ from_ms }) => from_ms)),
    until_ms: Math.min(...all.map(({ until_ms }) => until_ms)),
  };
}

/** One that signed itself is its own issuer. */
function chainOf(first: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  for (let each = first; each?.valid_to && !chain.includes(each); each = each.issuerCertificate) chain.push(each);
  return chain;
}

/** What is said before TLS. */
const begins: Readonly<Record<Begin, (socket: Socket) => Promise<void>>> = {
  "at once": () => Promise.resolve(),
  async postgresql(socket) {
    // SSLRequest.
    socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    if ((await heard(socket)) !== "S") throw new NoTls("it does not offer TLS");
  },
  async nats(socket) {
    if (!/"tls_(required|available)": ?true/.test(await heard(socket))) throw new NoTls("it does not offer TLS");
  },
  async smtp(socket) {
    await lineOf(socket, "220");
    socket.write("EHLO localhost\r\n");
    if (!/^250[- ]STARTTLS\s*$/im.test(await lineOf(socket, "250"))) throw new NoTls("it does not offer TLS");
    socket.write("STARTTLS\r\n");
    await lineOf(socket, "220");
  },
};

function heard(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once("data", (chunk) => resolve(chunk.toString("latin1"))).once("error", reject);
    socket.once("close", () => reject(new Error("it closed the connection")));
  });
}

/** The longest answer of a mail server that is listened to. */
const MOST_CHARACTERS = 16_384;

/** The whole of an answer, whose last line has a blank behind its code. */
async function lineOf(socket: Socket, code: string): Promise<string> {
  let text = "";
  while (!/^\d{3} .*\r?\n$/m.test(text)) {
    text += await heard(socket);
    if (text.length > MOST_CHARACTERS) throw new Error("it is no mail server");
  }
  if (!text.startsWith(code)) throw new Error(`it answers ${text.slice(0, 3)}`);
  return text;
}
