/**
 * What goes out over the sockets, as bytes. A frame of the WebSocket protocol is made once and may go to any number of sockets:
 * from a server it is not masked, so it is the same for all. RFC 6455, section 5.2.
 */
const FINAL_TEXT = 0x81;
const SHORT_BYTES = 125;
const MEDIUM_BYTES = 0xff_ff;

/** A text message in one frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafeSlow(headerLength(length) + length);
  frame.write(text, writeHeader(frame, length));
  return frame;
}

/** Several text messages, each in a frame of its own, for one write. */
export function textFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const frames = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + headerLength(length) + length, 0));
  let at = 0;
  for (const [i, text] of texts.entries()) {
    at = writeHeader(frames, lengths[i] as number, at);
    at += frames.write(text, at);
  }
  return frames;
}

/** A text message in one frame, of parts that are encoded already and parts that are not. */
export function joinedFrame(parts: readonly (Buffer | string)[]): Buffer {
  let length = 0;
  for (const part of parts) length += typeof part === "string" ? Buffer.byteLength(part) : part.length;
  const frame = Buffer.allocUnsafeSlow(headerLength(length) + length);
  let at = writeHeader(frame, length);
  for (const part of parts) at += typeof part === "string" ? frame.write(part, at) : part.copy(frame, at);
  return frame;
}

function headerLength(payload_bytes: number): number {
  if (payload_bytes <= SHORT_BYTES) return 2;
  return payload_bytes <= MEDIUM_BYTES ? 4 : 10;
}

/** Writes the header for a payload of this length, and gives where the payload begins. */
function writeHeader(frame: Buffer, payload_bytes: number, at = 0): number {
  frame[at] = FINAL_TEXT;
  if (payload_bytes <= SHORT_BYTES) {
    frame[at + 1] = payload_bytes;
    return at + 2;
  }
  if (payload_bytes <= MEDIUM_BYTES) {
    frame[at + 1] = 126;
    return frame.writeUInt16BE(payload_bytes, at + 2);
  }
  frame[at + 1] = 127;
  return frame.writeBigUInt64BE(BigInt(payload_bytes), at + 2);
}
