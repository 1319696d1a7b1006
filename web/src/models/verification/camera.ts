/** Whether there is a camera to scan a code with. Asks for no permission. */
export async function hasCamera(): Promise<boolean> {
  const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []);
  return devices?.some((device) => device.kind === "videoinput") ?? false;
}

/** The methods that this browser can take part in; a device without a camera must not promise to scan. */
export async function verificationMethods(): Promise<string[]> {
  const always = ["m.sas.v1", "m.qr_code.show.v1", "m.reciprocate.v1"];
  return (await hasCamera()) ? [...always, "m.qr_code.scan.v1"] : always;
}
