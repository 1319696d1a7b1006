/** A person's own devices. Specification: client-server-api, "Device Management". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer, route } from "../http.ts";
import { limits } from "../limits.ts";
import { endSessions } from "./end-sessions.ts";
import { interactive } from "./interactive.ts";
import { type DeviceRow, listDevices, readDevice } from "./queries.ts";
import { putServiceDevice } from "./service-accounts.ts";
import { auth, text } from "./shapes.ts";

const DEVICE = "/_matrix/client/v3/devices/:deviceId";
const byPassword = { flows: [["m.login.password"]] } as const;

export const getDevices = route({
  method: "GET",
  path: "/_matrix/client/v3/devices",
  access: "session",
  rate: "other",
  async handle({ session }, ctx) {
    const devices = await listDevices(ctx, session.userId);
    return { devices: devices.map((device) => described(session.userId, device)) };
  },
});

export const getDevice = route({
  method: "GET",
  path: DEVICE,
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const device = await readDevice(ctx, session.userId, params["deviceId"] ?? "");
    if (!device) throw noSuchDevice();
    return described(session.userId, device);
  },
});

export const renameDevice = route({
  method: "PUT",
  path: DEVICE,
  access: "session",
  rate: "other",
  body: z.looseObject({ display_name: text(limits.deviceName_characters).optional() }),
  async handle({ params, session, body }, ctx) {
    const deviceId = params["deviceId"] ?? "";
    const isThere = (await readDevice(ctx, session.userId, deviceId)) !== undefined;
    if (!isThere && session.service) return createDevice(ctx, session.userId, { deviceId, name: body.display_name });
    if (!isThere) throw noSuchDevice();
    if (body.display_name === undefined) return {};
    const row = await ctx.db.auth.one<{ position: number | null }>(
      "select auth.rename_device($1, $2, $3) as position",
      [session.userId, deviceId, body.display_name],
    );
    if (row?.position == null) throw noSuchDevice();
    await ctx.log.reached(row.position);
    return {};
  },
});

/** Specification: application-service-api, "Creating devices". */
async function createDevice(
  ctx: Context,
  userId: string,
  { deviceId, name }: { deviceId: string; name: string | undefined },
): Promise<Answer> {
  if (deviceId === "" || Buffer.byteLength(deviceId) > limits.identifier_bytes)
    throw matrixError("M_INVALID_PARAM", "A device id has from 1 to 255 bytes.");
  const isNew = await putServiceDevice(ctx, { userId, deviceId, name });
  return new Answer({ status: isNew ? 201 : 200, payload: "{}" });
}

export const deleteDevice = route({
  method: "DELETE",
  path: DEVICE,
  access: "session",
  rate: "other",
  body: z.looseObject({ auth: auth.optional() }),
  async handle(request, ctx) {
    await interactive(ctx, request, byPassword);
    const { params, session } = request;
    await endSessions(ctx, { userId: session.userId, deviceIds: [params["deviceId"] ?? ""] });
    return {};
  },
});

export const deleteDevices = route({
  method: "POST",
  path: "/_matrix/client/v3/delete_devices",
  access: "session",
  rate: "other",
  body: z.looseObject({ devices: z.array(text()), auth: auth.optional() }),
  async handle(request, ctx) {
    await interactive(ctx, request, byPassword);
    await endSessions(ctx, { userId: request.session.userId, deviceIds: request.body.devices });
    return {};
  },
});

/** Whose it is, the specification does not name: they know it. Suites ask for it. */
function described(userId: string, { deviceId, displayName, lastSeen_ms, lastSeenAddress }: DeviceRow): object {
  return {
    device_id: deviceId,
    user_id: userId,
    ...(displayName === null ? {} : { display_name: displayName }),
    ...(lastSeenAddress === null ? {} : { last_seen_ip: lastSeenAddress }),
    last_seen_ts: lastSeen_ms,
  };
}

function noSuchDevice() {
  return matrixError("M_NOT_FOUND", "You have no device with this id.");
}
