import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { refuseGarbled } from "./garbled.ts";

async function answerTo(code: string): Promise<string> {
  const socket = new PassThrough();
  refuseGarbled(Object.assign(new Error("of the parser"), { code }), socket as unknown as Socket);
  return text(socket);
}

test("what is no HTTP is told so", async () => {
  assert.match(await answerTo("HPE_INVALID_METHOD"), /^HTTP\/1\.1 400 Bad Request\r\n.*"M_UNKNOWN"/s);
  assert.match(await answerTo("HPE_HEADER_OVERFLOW"), /^HTTP\/1\.1 431 .*"M_TOO_LARGE"/s);
});

test("a connection on which no request came in time ends as clients expect it, with 408 and nothing more", async () => {
  const answer = await answerTo("ERR_HTTP_REQUEST_TIMEOUT");
  assert.equal(answer, "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
});
