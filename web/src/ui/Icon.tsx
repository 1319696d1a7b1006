import type { ReactElement } from "react";

/* Drawn on a 16-pixel grid with a 1.5-pixel line. One path list per icon; dots are filled circles. */
const PATHS = {
  alert: (
    <>
      <path d="M8 2.2 14.4 13.4H1.6z" />
      <path d="M8 6.4v3.2" />
      <Dot x={8} y={11.4} />
    </>
  ),
  arrowDown: <path d="M8 3v10M3.8 8.8 8 13l4.2-4.2" />,
  arrowUp: <path d="M8 13V3M3.8 7.2 8 3l4.2 4.2" />,
  at: (
    <>
      <circle cx="8" cy="8" r="2.6" />
      <path d="M10.6 5.4v3.4c0 2.6 3.4 2 3.4-.8A6 6 0 1 0 11.6 12.8" />
    </>
  ),
  attach: (
    <path d="m13.2 7.4-5.3 5.3a3.3 3.3 0 0 1-4.7-4.7l5.7-5.7a2.2 2.2 0 0 1 3.1 3.1L6.4 11a1.1 1.1 0 0 1-1.6-1.6l5-5" />
  ),
  ban: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.8 3.8 8.4 8.4" />
    </>
  ),
  bell: (
    <>
      <path d="M4 10.8V7a4 4 0 0 1 8 0v3.8l1.2 1.4H2.8z" />
      <path d="M6.6 14.2h2.8" />
    </>
  ),
  bold: <path d="M4.6 2.8h4a2.5 2.5 0 0 1 0 5h-4zm0 5h4.6a2.7 2.7 0 0 1 0 5.4H4.6z" />,
  camera: (
    <>
      <path d="M2 5h2.6l1.2-1.8h4.4L11.4 5H14v8H2z" />
      <circle cx="8" cy="8.8" r="2.3" />
    </>
  ),
  check: <path d="m3 8.6 3.4 3.4L13 4.8" />,
  checks: <path d="m1 8.6 3.2 3.2L10.4 5M7.6 11.6l.6.6L15 5" />,
  chevronDown: <path d="m4 6 4 4 4-4" />,
  chevronLeft: <path d="M10 3.6 5.6 8l4.4 4.4" />,
  chevronRight: <path d="M6 3.6 10.4 8 6 12.4" />,
  clock: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.6V8l2.3 1.6" />
    </>
  ),
  close: <path d="m3.8 3.8 8.4 8.4M12.2 3.8l-8.4 8.4" />,
  code: <path d="M5.4 4.4 1.8 8l3.6 3.6M10.6 4.4 14.2 8l-3.6 3.6" />,
  compose: (
    <>
      <path d="M13.4 8.4V13a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V3.6a1 1 0 0 1 1-1h4.6" />
      <path d="m6.4 9.6.4-2.2 5.4-5.4 1.8 1.8-5.4 5.4z" />
    </>
  ),
  copy: (
    <>
      <rect x="5.4" y="5.4" width="8.2" height="8.2" rx="1.2" />
      <path d="M3.2 10.6h-.8V3.2c0-.5.4-.8.8-.8h7.4v.8" />
    </>
  ),
  device: (
    <>
      <rect x="2" y="3" width="12" height="8" rx="1" />
      <path d="M5.6 13.6h4.8" />
    </>
  ),
  diamond: <path d="m8 2.2 5.8 5.8L8 13.8 2.2 8z" />,
  download: <path d="M8 2.4v7.8M4.4 6.8 8 10.4l3.6-3.6M2.6 13.4h10.8" />,
  edit: <path d="m2.6 13.4.7-3.3 7.6-7.6 2.6 2.6-7.6 7.6zM9.2 4.2l2.6 2.6" />,
  eye: (
    <>
      <path d="M1.4 8S3.8 3.6 8 3.6 14.6 8 14.6 8 12.2 12.4 8 12.4 1.4 8 1.4 8z" />
      <circle cx="8" cy="8" r="2" />
    </>
  ),
  eyeOff: (
    <>
      <path d="M3.2 5.6A10 10 0 0 0 1.4 8S3.8 12.4 8 12.4c1 0 1.9-.2 2.7-.6M6.4 3.8A6 6 0 0 1 8 3.6c4.2 0 6.6 4.4 6.6 4.400a10 10 0 0 1-1.7 2.2" />
      <path d="m2.4 2.4 11.2 11.2" />
    </>
  ),
  file: (
    <>
      <path d="M3.4 1.8h5.8l3.4 3.4v9H3.4z" />
      <path d="M9 2v3.400h3.4" />
    </>
  ),
  format: (
    <path d="M1.6 12.4 4.9 3.600l3.3 8.800M2.8 9.400H7M14.2 7.400v5M14.2 10a2.3 2.3 0 1 1-4.6 0 2.3 2.3 0 0 1 4.6 0" />
  ),
  hash: <path d="M6.4 2.4 5 13.600M11 2.4 9.6 13.600M2.8 5.600h11M2.2 10.400h11" />,
  home: <path d="M2.4 7.4 8 2.600l5.6 4.800v6.200H9.800V10H6.200v3.600H2.400z" />,
  image: (
    <>
      <rect x="2" y="2.6" width="12" height="10.8" rx="1.2" />
      <circle cx="5.6" cy="6" r="1.1" />
      <path d="m2.4 12 3.6-3.6 2.4 2.4 2.6-2.8 2.8 3" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.400v3.6" />
      <Dot x={8} y={5} />
    </>
  ),
  italic: <path d="M6.6 2.800h5M4.4 13.200h5M9.6 2.800l-3.2 10.4" />,
  key: (
    <>
      <circle cx="5" cy="10.8" r="2.8" />
      <path d="m7 8.8 6.2-6.200M10.4 5.400l2.2 2.2" />
    </>
  ),
  leave: <path d="M6.4 2.600H2.600v10.800h3.800M6.6 8H14M10.8 4.8 14 8l-3.2 3.2" />,
  link: (
    <path d="M6.8 9.200a2.9 2.9 0 0 0 4.1 0l2.2-2.200a2.9 2.9 0 0 0-4.1-4.100l-.8.8M9.2 6.800a2.9 2.9 0 0 0-4.1 0L2.9 9A2.9 2.9 0 0 0 7 13.100l.8-.8" />
  ),
  list: <path d="M5.6 4h8M5.6 8h8M5.6 12h8M2.4 4h.2M2.4 8h.2M2.4 12h.2" />,
  lock: (
    <>
      <rect x="3" y="7" width="10" height="6.8" rx="1.2" />
      <path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2" />
    </>
  ),
  mail: (
    <>
      <rect x="1.8" y="3.2" width="12.4" height="9.6" rx="1.2" />
      <path d="m2.2 4.2 5.8 4.6 5.8-4.6" />
    </>
  ),
  menu: <path d="M2.4 4.200h11.200M2.4 8h11.200M2.4 11.800h11.2" />,
  monitor: (
    <>
      <rect x="1.8" y="2.6" width="12.4" height="8.4" rx="1" />
      <path d="M5.4 13.600h5.200M8 11.200v2.4" />
    </>
  ),
  moon: <path d="M13.4 9.600A5.8 5.8 0 0 1 6.4 2.600a5.8 5.8 0 1 0 7 7z" />,
  more: (
    <>
      <Dot x={3} y={8} />
      <Dot x={8} y={8} />
      <Dot x={13} y={8} />
    </>
  ),
  people: (
    <>
      <circle cx="6" cy="5.4" r="2.6" />
      <path d="M1.4 13.400c.2-2.8 2-4.4 4.6-4.400s4.4 1.6 4.6 4.400M10.6 3a2.6 2.6 0 0 1 0 4.800M12 9.400c1.6.6 2.5 2 2.6 4" />
    </>
  ),
  person: (
    <>
      <circle cx="8" cy="5.2" r="2.8" />
      <path d="M2.8 13.800c.3-3 2.3-4.6 5.2-4.600s4.9 1.6 5.2 4.6" />
    </>
  ),
  personAdd: (
    <>
      <circle cx="6.4" cy="5.2" r="2.8" />
      <path d="M1.4 13.800c.3-3 2.2-4.6 5-4.6 1.3 0 2.4.3 3.2.9M12.6 9.400v5M10.1 11.900h5" />
    </>
  ),
  plus: <path d="M8 2.800v10.400M2.8 8h10.4" />,
  qr: (
    <>
      <rect x="2.2" y="2.2" width="4.2" height="4.2" />
      <rect x="9.6" y="2.2" width="4.2" height="4.2" />
      <rect x="2.2" y="9.6" width="4.2" height="4.2" />
      <path d="M9.6 9.600h1.600v1.600M13.8 9.600v1.600M9.6 13.800h1.600M13.8 13.800h-.2" />
    </>
  ),
  quote: <path d="M2.6 3.400v9.200M5.8 5h7.800M5.8 8h7.800M5.8 11h5" />,
  react: (
    <>
      <path d="M13.8 8.600A6 6 0 1 1 7.6 2.2" />
      <path d="M5.4 9.600c.5 1 1.4 1.7 2.5 1.700s2-.7 2.5-1.700M12.2 1.800v4.400M10 4h4.4" />
      <Dot x={6} y={6.8} />
      <Dot x={9.6} y={6.8} />
    </>
  ),
  refresh: <path d="M13.4 8a5.4 5.4 0 1 1-1.7-3.900l1.7 1.600M13.4 2.400v3.400H10" />,
  reply: <path d="M6.6 3.6 2.4 7.400l4.2 3.800M2.8 7.400h6.400c2.6 0 4.4 1.8 4.4 5" />,
  search: (
    <>
      <circle cx="7" cy="7" r="4.6" />
      <path d="m10.4 10.4 3.8 3.8" />
    </>
  ),
  send: <path d="M2.2 8 13.8 2.6 10.6 13.8 7.8 9zM7.8 9l6-6.4" />,
  settings: (
    <>
      <path d="M2.2 4.600h4.200M10.4 4.600h3.400M2.2 11.400h3.400M9.6 11.400h4.2" />
      <circle cx="8.4" cy="4.6" r="2" />
      <circle cx="7.6" cy="11.4" r="2" />
    </>
  ),
  shield: <path d="M8 1.8 13.4 3.600v4c0 3.2-2 5.4-5.4 6.8-3.4-1.4-5.4-3.6-5.4-6.800v-4z" />,
  shieldCheck: (
    <>
      <path d="M8 1.8 13.4 3.600v4c0 3.2-2 5.4-5.4 6.8-3.4-1.4-5.4-3.6-5.4-6.800v-4z" />
      <path d="m5.6 7.8 1.8 1.8 3.2-3.4" />
    </>
  ),
  smile: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.4 9.400c.5 1.1 1.4 1.7 2.6 1.700s2.1-.6 2.6-1.7" />
      <Dot x={6} y={6.4} />
      <Dot x={10} y={6.4} />
    </>
  ),
  strike: (
    <path d="M11.6 4.6C11 3.4 9.7 2.8 8.2 2.8 6.2 2.8 4.8 3.8 4.8 5.400c0 .9.4 1.6 1.2 2.100M2.4 8.200h11.200M4.4 11.200c.6 1.3 1.9 2 3.7 2 2.1 0 3.6-1 3.6-2.7 0-.4-.1-.8-.3-1.2" />
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.400v1.400M8 13.200v1.400M1.4 8h1.400M13.2 8h1.400M3.3 3.300l1 1M11.7 11.700l1 1M3.3 12.700l1-1M11.7 4.300l1-1" />
    </>
  ),
  thread: <path d="M2.2 3h11.600v8H7l-3 2.800V11H2.200zM5 5.800h6M5 8.200h4" />,
  trash: <path d="M2.6 4.200h10.800M6 4V2.400h4V4M4 4.400l.6 9.400h6.800l.6-9.400M6.6 7v4M9.4 7v4" />,
  video: (
    <>
      <rect x="1.8" y="4" width="8.6" height="8" rx="1.2" />
      <path d="m10.6 7 3.6-2v6l-3.6-2" />
    </>
  ),
} satisfies Record<string, ReactElement>;

export type IconName = keyof typeof PATHS;

/** A line icon. It is hidden from screen readers: the control around it carries the name. */
export function Icon({
  name,
  size = 16,
  className,
}: {
  name: IconName;
  size?: 12 | 14 | 16 | 20 | 24;
  className?: string;
}) {
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={size >= 20 ? 1.2 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}

function Dot({ x, y }: { x: number; y: number }) {
  return <circle cx={x} cy={y} r="0.9" fill="currentColor" stroke="none" />;
}
