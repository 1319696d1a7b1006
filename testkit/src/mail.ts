// A mail server that takes mails and keeps them: the real protocol, with a user and a password.

import { once } from "node:events";
import { SMTPServer } from "smtp-server";

export type Mail = { to: string[]; text: string };

export type MailServer = AsyncDisposable & {
  /** For SMTP_URL. */
  url: string;
  mails: Mail[];
  /** Refuses what comes from now on. */
  refuse(isRefusing: boolean): void;
};

/** With a certificate it offers STARTTLS. */
export async function startMail(tls?: { key: Buffer; cert: Buffer }): Promise<MailServer> {
  const mails: Mail[] = [];
  let isRefusing = false;
  const server = new SMTPServer({
    disabledCommands: tls ? [] : ["STARTTLS"],
    ...tls,
    allowInsecureAuth: true,
    onAuth(auth, _session, done) {
      if (auth.username === "parley" && auth.password === "secret") done(null, { user: "parley" });
      else done(new Error("who is that?"));
    },
    onData(stream, session, done) {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        if (isRefusing) return done(new Error("the letter box is full"));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, text: plainOf(Buffer.concat(pieces).toString()) });
        done();
      });
    },
  });
  // A client that breaks off.
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as { port: number };
  return {
    url: `smtp://parley:secret@127.0.0.1:${port}`,
    mails,
    refuse: (value) => void (isRefusing = value),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Quoted-printable, undone: soft ends of lines, and bytes by their numbers. */
function plainOf(raw: string): string {
  return raw
    .replaceAll(/=\r?\n/g, "")
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The link of the newest mail to somebody. Throws where there is none. */
export function linkTo({ mails }: Pick<MailServer, "mails">, address: string): URL {
  const mail = mails.findLast(({ to }) => to.includes(address));
  const link = /https?:\/\/\S+\/email\/confirm\?token=[\w-]+/.exec(mail?.text ?? "")?.[0];
  if (!link) throw new Error(`no mail to ${address} has a link`);
  return new URL(link);
}
