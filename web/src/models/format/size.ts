const UNITS = ["B", "kB", "MB", "GB"] as const;

/** A size in bytes for people, in thousands: `940 B`, `1.8 MB`. */
export function bytes(size_bytes: number): string {
  let value = size_bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/** Progress as `1.1 of 1.8 MB`: both in the unit of the whole. */
export function progress(sent_bytes: number, size_bytes: number): string {
  const [number = "0", unit = "B"] = bytes(size_bytes).split(" ");
  const scale = size_bytes === 0 ? 0 : sent_bytes / size_bytes;
  const decimals = number.includes(".") ? 1 : 0;
  return `${(Number(number) * Math.min(1, scale)).toFixed(decimals)} of ${number} ${unit}`;
}
