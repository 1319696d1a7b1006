// What a Parley server answers beside the Matrix specification. A path that is in neither is a mistake that a test reports.

/** A family of paths that the specification does not define. */
export type Outside = {
  prefix: string;
  why: string;
  /** True where an error there is still a standard error of Matrix. */
  answersMatrixErrors: boolean;
};

/** The list; a path belongs to an entry when it begins with its prefix. */
export const outsidePaths: Outside[] = [
  { prefix: "/_parley/client/v1/email/", why: "pages behind links in mails", answersMatrixErrors: false },
  { prefix: "/_matrix/client/v3/auth/", why: "pages of stages: the text has them alone", answersMatrixErrors: false },
  { prefix: "/_parley/", why: "Parley's own interfaces", answersMatrixErrors: true },
  { prefix: "/scim/", why: "SCIM 2.0, with errors of its own", answersMatrixErrors: false },
  { prefix: "/_synapse/", why: "registration with a shared secret, as tools expect it", answersMatrixErrors: true },
  { prefix: "/_matrix/federation/", why: "the one path that OpenID tokens are for", answersMatrixErrors: true },
  { prefix: "/health", why: "probes of the process supervisor", answersMatrixErrors: false },
  { prefix: "/api/", why: "the back end of the web apps", answersMatrixErrors: false },
  { prefix: "/metrics", why: "Prometheus", answersMatrixErrors: false },
  {
    prefix: "/_matrix/client/unstable/",
    why: "proposals that are not yet part of the specification, announced in /versions",
    answersMatrixErrors: true,
  },
];

/** The entry that `path` (without origin and query) belongs to, if any. */
export function outsideTheSpec(path: string): Outside | undefined {
  return outsidePaths.find((each) => path.startsWith(each.prefix));
}

/** A parameter of a proposal that makes another thing of an operation: its answer is the proposal's. */
const DELAYED = /[?&]org\.matrix\.msc4140\.delay=/;
/** How events were sent, and redacted, before there were transaction ids. */
const SENT_ONCE = /\/_matrix\/client\/(v3|r0)\/rooms\/[^/]+\/(send|redact)\/[^/]+$/;

/** Whether the answer to this address, with its query, is that of a proposal or of an older time, and not that of an operation at its path. */
export function isAnotherAnswer(url: string): boolean {
  return DELAYED.test(url) || SENT_ONCE.test(url);
}
