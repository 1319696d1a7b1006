/** The paths of upstream single sign-on. */
import type { Route } from "../../http.ts";
import { begin } from "./begin.ts";
import { callback } from "./callback.ts";
import { confirm, showConfirm } from "./confirm.ts";
import { linkProvider, showLink } from "./link.ts";
import { logout } from "./logout.ts";
import { chooseName, showName } from "./name.ts";

export const ssoRoutes: readonly Route[] = [
  begin,
  callback,
  showName,
  chooseName,
  showLink,
  linkProvider,
  showConfirm,
  confirm,
  logout,
];
