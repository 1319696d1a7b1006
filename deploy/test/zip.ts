/** Files out of a zip archive: Node can inflate, and needs only to be told where. APPNOTE.TXT 4.3. */
import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** The files of an archive by their names, inflated when they are asked for. */
export function readZip(archive: Buffer): Map<string, () => Buffer> {
  const files = new Map<string, () => Buffer>();
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error("this is no zip archive");
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error("the zip archive is broken");
    const entry = readEntry(archive, at);
    if (!entry.name.endsWith("/")) files.set(entry.name, () => contentOf(archive, entry));
    at = entry.next;
  }
  return files;
}

interface Entry {
  name: string;
  isDeflated: boolean;
  packed_bytes: number;
  /** Where the file's own header is. */
  offset: number;
  /** Where the next entry is. */
  next: number;
}

function readEntry(archive: Buffer, at: number): Entry {
  const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  return {
    name: archive.toString("utf8", at + 46, at + 46 + name),
    isDeflated: archive.readUInt16LE(at + 10) === 8,
    packed_bytes: archive.readUInt32LE(at + 20),
    offset: archive.readUInt32LE(at + 42),
    next: at + 46 + name + extra + comment,
  };
}

function contentOf(archive: Buffer, { offset, packed_bytes, isDeflated }: Entry): Buffer {
  const start = offset + 30 + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  const packed = archive.subarray(start, start + packed_bytes);
  return isDeflated ? inflateRawSync(packed) : packed;
}
