/** Answers to what no route is asked for, because it is no request. */
import type { Socket } from "node:net";

/** What is no HTTP, or has larger headers than anybody needs, is answered without a route, and the connection ends. */
export function refuseGarbled(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const status = isTooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const body = JSON.stringify({
    errcode: isTooLarge ? "M_TOO_LARGE" : "M_UNKNOWN",
    error: isTooLarge ? "The headers are larger than the server takes." : "The request is not HTTP.",
  });
  const headers = ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join("\r\n")}\r\n\r\n${body}`);
}
