/** Runs Lua in a Redis. */
import { connect } from "node:net";

/** What a script that returns a table gives for the object, which it knows as `obj`. Throws with Lua's own words where it fails. */
export async function evalLua(url: string, script: string, object: object): Promise<unknown> {
  const { hostname, port } = new URL(url);
  const wrapped = `local obj = cjson.decode(ARGV[1])\nlocal function health()\n${script}\nend\nreturn cjson.encode(health())`;
  const words = ["EVAL", wrapped, "0", JSON.stringify(object)];
  const command = [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ""].join(
    "\r\n",
  );
  const answer = await ask({ host: hostname, port: Number(port) }, command);
  if (!answer.startsWith("$")) throw new Error(answer);
  return JSON.parse(answer.slice(answer.indexOf("\r\n") + 2));
}

function ask(where: { host: string; port: number }, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(where, () => socket.write(command));
    let text = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (!text.endsWith("\r\n")) return;
      socket.end();
      resolve(text.trimEnd());
    });
  });
}
