import { grouped, sizeOf } from "./words.ts";

/** A value of a series in its unit: `1.8 MB`, `12 ms`, `99.8 %`, `1,204`. */
export function valueIn(unit: string, value: number): string {
  if (unit === "bytes") return sizeOf(value);
  if (unit === "ms") return `${short(value)} ms`;
  if (unit === "share") return `${(value * 100).toFixed(value > 0.999 && value < 1 ? 2 : 1)} %`;
  return short(value);
}

/** As many digits as somebody reads: whole from ten on. */
function short(value: number): string {
  return Math.abs(value) >= 10 || Number.isInteger(value)
    ? grouped(Math.round(value))
    : value.toFixed(value < 1 ? 2 : 1);
}
