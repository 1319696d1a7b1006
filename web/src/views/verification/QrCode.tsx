import { create } from "qrcode";
import styles from "./verification.module.css";

/** The empty edge that a scanner needs around a code, in modules. */
const QUIET_ZONE = 4;

/** A QR code of raw bytes, dark on white in both themes because scanners expect it. */
export function QrCode({ bytes }: { bytes: Uint8ClampedArray }) {
  const { modules } = create([{ data: bytes, mode: "byte" }], { errorCorrectionLevel: "L" });
  const side = modules.size + 2 * QUIET_ZONE;
  const path = Array.from(modules.data, (dark, index) =>
    dark ? `M${(index % modules.size) + QUIET_ZONE} ${Math.floor(index / modules.size) + QUIET_ZONE}h1v1h-1z` : "",
  ).join("");
  return (
    <svg
      className={styles.qr}
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label="Code to scan with the other device"
      shapeRendering="crispEdges"
    >
      <path fill="#fff" d={`M0 0h${side}v${side}H0z`} />
      <path fill="#000" d={path} />
    </svg>
  );
}
