/** Answers to what no route is asked for, because it is no request. */
import type { Socket } from "node:net";

/** What is no HTTP, or has larger headers than anybody needs, is answered without a route, and the connection ends. */
export function refuseGarbled(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  // Browsers and Go's clients open connections ahead of need. They take this status on one that they never used for its end.
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return answer(socket, "408 Request Timeout");
  if (error.code === "HPE_HEADER_OVERFLOW")
    return answer(socket, "431 Request Header Fields Too Large", {
      errcode: "M_TOO_LARGE",
      error: "The headers are larger than the server takes.",
    });
  answer(socket, "400 Bad Request", { errcode: "M_UNKNOWN", error: "The request is not HTTP." });
}

function answer(socket: Socket, status: string, fault?: { errcode: string; error: string }): void {
  const body = fault ? JSON.stringify(fault) : "";
  const type = fault ? ["content-type: application/json"] : [];
  const headers = [...type, `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join("\r\n")}\r\n\r\n${body}`);
}
