import { call, pathOf } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import type { Act } from "../../parts/acts.ts";
import { count, sizeOf } from "../../parts/words.ts";
import type { Medium } from "./shapes.ts";

const quarantined = (media_id: string, isOn: boolean, reason?: string) =>
  isOn
    ? call<{ files: number }>(pathOf`/media/${media_id}/quarantine`, { method: "POST", body: { reason } })
    : call<{ files: number }>(pathOf`/media/${media_id}/quarantine`, { method: "DELETE" });

export function quarantine(files: readonly Medium[]): Act {
  const what = count(files.length, "file");
  return {
    title: `Put ${what} in quarantine?`,
    consequence:
      "Nobody gets them any more, nor any other file with the same bytes. Who has one in their app already keeps it there.",
    label: "Quarantine",
    isDangerous: true,
    asksReason: true,
    async run({ reason }) {
      for (const { media_id } of files) await quarantined(media_id, true, reason);
    },
    done: `Put ${what} in quarantine.`,
    async undo() {
      for (const { media_id } of files) await quarantined(media_id, false);
    },
  };
}

export function release({ media_id }: Medium): Act {
  return {
    title: `Release ${media_id}?`,
    consequence: "People get it again, and every other file with the same bytes.",
    label: "Release",
    run: () => quarantined(media_id, false),
    done: `Released ${media_id}.`,
  };
}

export function setProtected({ media_id, protected: isProtected }: Medium): Act {
  const put = (value: boolean) =>
    call(pathOf`/media/${media_id}/protection`, { method: "PUT", body: { protected: value } });
  return {
    title: isProtected ? `Protect ${media_id} no longer?` : `Protect ${media_id}?`,
    consequence: isProtected
      ? "It goes with others when they are deleted."
      : "It stays when others are deleted, by retention too.",
    label: isProtected ? "Protect no longer" : "Protect",
    run: () => put(!isProtected),
    done: isProtected ? `${media_id} is no longer protected.` : `${media_id} is protected.`,
    undo: () => put(isProtected),
  };
}

export function deleteFile({ media_id, size_bytes }: Medium): Act {
  return {
    title: `Delete ${media_id}?`,
    consequence: `${sizeOf(size_bytes)}. Only a backup brings it back.`,
    label: "Delete",
    isDangerous: true,
    asksReason: true,
    typed: media_id,
    run: ({ reason }) => call(pathOf`/media/${media_id}/delete`, { method: "POST", body: { reason } }),
    done: `Deleted ${media_id}.`,
  };
}

function Effect({ userId }: { userId: string }) {
  const { data } = useAnswer<{ files: number; bytes: number }>("/media-effect", { query: { user_id: userId } });
  if (!data) return "Counting…";
  return `${count(data.files, "file")}, ${sizeOf(data.bytes)}. Protected ones stay, and those that a legal hold keeps. Only a backup brings them back.`;
}

export function deleteOfUser(userId: string): Act<{ job_id: number }> {
  return {
    title: `Delete every file of ${userId}?`,
    consequence: <Effect userId={userId} />,
    label: "Delete all",
    isDangerous: true,
    asksReason: true,
    typed: userId,
    run: ({ reason }) => call("/media-deletions", { method: "POST", body: { user_id: userId, reason } }),
    says: ({ job_id }) => `Deleting as job ${job_id}.`,
  };
}
