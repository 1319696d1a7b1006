import { call, pathOf } from "../../api.ts";
import type { Act } from "../../parts/acts.ts";
import { count } from "../../parts/words.ts";
import type { Device } from "./shapes.ts";

interface Outcomes {
  items: { user_id: string; device_id: string; ok: boolean; error?: string }[];
}

async function endDevices(devices: readonly Device[], reason: string): Promise<void> {
  const places = devices.map(({ user_id, device_id }) => ({ user_id, device_id }));
  const { items } = await call<Outcomes>("/devices/end", { method: "POST", body: { devices: places, reason } });
  const refused = items.filter(({ ok }) => !ok);
  if (refused.length > 0)
    throw new Error(
      `${count(refused.length, "device")} could not be signed out: ${refused.map(({ device_id, error }) => `${device_id} (${error})`).join(", ")}`,
    );
}

export function signOutDevices(devices: readonly Device[]): Act {
  const [first] = devices;
  const what =
    devices.length === 1 && first ? (first.display_name ?? first.device_id) : count(devices.length, "device");
  const people = new Set(devices.map(({ user_id }) => user_id)).size;
  return {
    title: `Sign ${what} out?`,
    consequence: `Of ${people === 1 && first ? first.user_id : count(people, "person", "people")}. It reads nothing from now on, its keys are taken away, and the others in its encrypted rooms begin with new ones. What it has already stays on it.`,
    label: "Sign out",
    isDangerous: true,
    asksReason: true,
    run: ({ reason = "" }) => endDevices(devices, reason),
    done: `Signed ${what} out.`,
  };
}

export function signOutEverywhere(userId: string, devices: number): Act<{ ended: number }> {
  return {
    title: `Sign ${userId} out everywhere?`,
    consequence: `${count(devices, "device")} will be signed out, and the console too. The person can sign in again.`,
    label: "Sign out everywhere",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => call(pathOf`/users/${userId}/sessions`, { method: "DELETE", query: { reason } }),
    says: ({ ended }) => `Signed out ${count(ended, "device")}.`,
  };
}
