/** What can be said about the browser that this runs in. */

/** The name under which this device shows in the list of sessions, like "Parley in Firefox on Linux". */
export function deviceName(userAgent: string = navigator.userAgent): string {
  return `Parley in ${browserOf(userAgent)} on ${systemOf(userAgent)}`;
}

function browserOf(agent: string): string {
  if (/\bEdg(A|iOS)?\//.test(agent)) return "Edge";
  if (/\bOPR\//.test(agent)) return "Opera";
  if (/\b(Firefox|FxiOS)\//.test(agent)) return "Firefox";
  if (/\b(Chrome|CriOS|HeadlessChrome)\//.test(agent)) return "Chrome";
  return /\bSafari\//.test(agent) ? "Safari" : "a browser";
}

function systemOf(agent: string): string {
  if (/\bAndroid\b/.test(agent)) return "Android";
  if (/\b(iPhone|iPad|iPod)\b/.test(agent)) return "iOS";
  if (/\bWindows\b/.test(agent)) return "Windows";
  if (/\bMac OS X\b/.test(agent)) return "macOS";
  if (/\bCrOS\b/.test(agent)) return "ChromeOS";
  return /\bLinux\b/.test(agent) ? "Linux" : "an unknown system";
}

/** The parts of the browser without which nothing can be encrypted or kept; empty when all are there. */
export function missingFeatures(scope: object = globalThis): string[] {
  const has = (path: string): boolean =>
    path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], scope) !=
    null;
  const needed: [string, string][] = [
    ["crypto.subtle", "Web Crypto (needs https, or http on localhost)"],
    ["indexedDB", "IndexedDB storage"],
    ["WebAssembly", "WebAssembly"],
    ["navigator.locks", "Web Locks"],
  ];
  return needed.filter(([path]) => !has(path)).map(([, name]) => name);
}
