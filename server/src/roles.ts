/**
 * Which role serves which domain. The process router mounts the domains of the roles it was given; whatever else needs to
 * know where a path is served reads this table too.
 */
export const domainsOfRole = {
  auth: ["auth"],
  keys: ["keys"],
  messages: ["rooms", "messages", "directory", "account", "push"],
  gateway: ["sync"],
  presence: ["presence"],
  media: ["media"],
  worker: [],
  web: ["web"],
} as const;

export type RoleName = keyof typeof domainsOfRole;
export type Domain = (typeof domainsOfRole)[RoleName][number];

export const roleNames = Object.keys(domainsOfRole) as RoleName[];

/** Whether a process with these roles serves the domain. */
export function serves(roles: readonly RoleName[], domain: Domain): boolean {
  return roles.some((role) => (domainsOfRole[role] as readonly Domain[]).includes(domain));
}
