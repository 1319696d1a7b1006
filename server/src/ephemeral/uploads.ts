/** How far uploads are: told over the bus as they go on, and kept in the store for those who come later. */
import { z } from "zod";
import type { Bus } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { Seams, Timer } from "../seams.ts";
import type { Ephemeral, Upload } from "./ephemeral.ts";
import type { Health } from "./health.ts";
import type { Store } from "./store.ts";

type UploadPart = Pick<Ephemeral, "setUpload" | "upload" | "listenUploads">;

export interface UploadsOptions {
  store: Store;
  health: Health;
  bus: Bus | undefined;
  seams: Seams;
}

/** What another release calls it otherwise goes on, as far as this one can tell. */
const uploadStatus = z.enum(["uploading", "complete", "failed"]).catch("uploading");

const told = z.array(
  z.object({
    id: z.string(),
    userId: z.string(),
    status: uploadStatus,
    bytes: z.number(),
    total: z.number().optional(),
  }),
);

export function openUploads({ store, health, bus, seams }: UploadsOptions): UploadPart & { close(): Promise<void> } {
  const listeners: ((upload: Upload) => void)[] = [];
  let waiting = new Map<string, Upload>();
  let timer: Timer | undefined;
  let writing: Promise<unknown> | undefined;

  const tell = (uploads: readonly Upload[]) => {
    for (const upload of uploads) for (const listener of listeners) listener(upload);
  };

  function write(): void {
    timer?.cancel();
    timer = undefined;
    if (waiting.size === 0 || writing) return;
    const uploads = [...waiting.values()];
    waiting = new Map();
    tell(uploads);
    bus?.publish("upload", JSON.stringify(uploads));
    if (health.isAway()) return;
    writing = health
      .ask(() => store.setUploads(uploads))
      .finally(() => {
        writing = undefined;
        if ([...waiting.values()].some(isOver)) write();
        else if (waiting.size > 0) timer ??= seams.after(limits.uploadProgress_ms, write);
      });
  }

  const unlisten = bus?.subscribe("upload", (message, own) => {
    if (own) return;
    const uploads = told.safeParse(parse(message));
    if (uploads.success) tell(uploads.data.map((upload) => ({ ...upload, total: upload.total })));
  });

  return {
    setUpload(upload) {
      if (!waiting.has(upload.id) && waiting.size >= limits.uploads) return;
      waiting.set(upload.id, upload);
      // How it ended is told at once.
      if (isOver(upload)) write();
      else timer ??= seams.after(limits.uploadProgress_ms, write);
    },
    async upload(id) {
      const upload = health.isAway() ? undefined : await health.ask(() => store.upload(id));
      return upload && { ...upload, status: uploadStatus.parse(upload.status) };
    },
    listenUploads: (listener) => void listeners.push(listener),
    async close() {
      await writing;
      write();
      await writing;
      timer?.cancel();
      unlisten?.();
    },
  };
}

function isOver(upload: Upload): boolean {
  return upload.status !== "uploading";
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
