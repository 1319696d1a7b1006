/** Results as files. Rows are asked for again, and written by the server as they come: a file may have more than a page holds. */
import { callStream } from "../../api.ts";
import { type Ask, bodyOf, graphPath, type Place } from "./useQueryRun.ts";

const MOST_ROWS = 1_000_000;
const MOST_S = 60;

export async function saveRows(place: Place, asked: Ask, format: "csv" | "json"): Promise<void> {
  const body = { ...bodyOf(place, { ...asked, isWrite: false }), rows: MOST_ROWS, timeout_s: MOST_S, format };
  const response = await callStream(`${graphPath(place)}/query`, { method: "POST", body });
  saveBlob(`${place.graph}.${format}`, await response.blob());
}

export function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
