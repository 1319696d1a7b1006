/** The Secrets in which helm keeps its releases come as protobuf, whatever is accepted. So much of it as they need is read here. */
import type { KubernetesObject } from "./schema.ts";

const MAGIC = Buffer.from("k8s\0");

export function isProtobuf(body: Buffer): boolean {
  return body.subarray(0, MAGIC.length).equals(MAGIC);
}

/** A Secret in its envelope (runtime.Unknown of apimachinery). */
export function readSecret(body: Buffer): KubernetesObject {
  const envelope = fieldsOf(body.subarray(MAGIC.length));
  const secret = fieldsOf(one(envelope, 2));
  const metadata = fieldsOf(one(secret, 1));
  const data = mapOf(secret, 2);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: one(metadata, 1).toString(),
      namespace: one(metadata, 3).toString(),
      labels: Object.fromEntries([...mapOf(metadata, 11)].map(([key, value]) => [key, value.toString()])),
    },
    data: Object.fromEntries([...data].map(([key, value]) => [key, value.toString("base64")])),
    type: one(secret, 3).toString(),
  };
}

type Fields = Map<number, Buffer[]>;

/** The fields of a message that have a length: texts, bytes, messages. Numbers are passed over. */
function fieldsOf(message: Buffer): Fields {
  const found: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const [field, wireType] = [tag >>> 3, tag & 7];
    if (wireType === 0) varint();
    else if (wireType === 2) {
      const length = varint();
      found.set(field, [...(found.get(field) ?? []), message.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`protobuf with the wire type ${wireType} is not read here`);
  }
  return found;
}

function one(fields: Fields, field: number): Buffer {
  return fields.get(field)?.[0] ?? Buffer.alloc(0);
}

function mapOf(fields: Fields, field: number): Map<string, Buffer> {
  const entries = (fields.get(field) ?? []).map((entry) => fieldsOf(entry));
  return new Map(entries.map((entry) => [one(entry, 1).toString(), one(entry, 2)]));
}
