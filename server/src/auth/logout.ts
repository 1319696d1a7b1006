/** Signing out. Specification: client-server-api, "POST /logout" and "POST /logout/all". */
import { route } from "../http.ts";
import { endSessions } from "./end-sessions.ts";

export const logout = route({
  method: "POST",
  path: "/_matrix/client/v3/logout",
  access: "session",
  async handle({ session }, ctx) {
    // An application service that acts without a device has nothing to sign out of.
    if (session.deviceId !== "") await endSessions(ctx, { userId: session.userId, deviceIds: [session.deviceId] });
    return {};
  },
});

export const logoutAll = route({
  method: "POST",
  path: "/_matrix/client/v3/logout/all",
  access: "session",
  async handle({ session }, ctx) {
    await endSessions(ctx, { userId: session.userId });
    return {};
  },
});

export const whoami = route({
  method: "GET",
  path: "/_matrix/client/v3/account/whoami",
  access: "session",
  rate: "other",
  handle: ({ session: { userId, deviceId, isGuest } }) => ({
    user_id: userId,
    ...(deviceId === "" ? {} : { device_id: deviceId }),
    is_guest: isGuest === true,
  }),
});
