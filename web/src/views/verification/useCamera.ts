import jsQR from "jsqr";
import { type RefObject, useEffect, useRef, useState } from "react";

/** A code is looked for this often; each look takes some 20 ms of the main thread. */
const LOOK_EVERY_MS = 200;
/** Wider pictures cost more and are not read better. */
const MAX_WIDTH_PX = 640;

interface Camera {
  video: RefObject<HTMLVideoElement | null>;
  /** Why there is no picture, or null. */
  problem: string | null;
}

/** A camera picture for the `video` element that it gives a ref to, and a call of `onCode` for each code seen in it. */
export function useCamera(onCode: (bytes: Uint8ClampedArray) => void): Camera {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer: ReturnType<typeof setInterval> | undefined;
    let stopped = false;
    const stop = () => {
      stopped = true;
      clearInterval(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    const start = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (stopped || !video.current) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      const canvas = document.createElement("canvas");
      timer = setInterval(() => {
        const bytes = video.current && look(video.current, canvas);
        if (bytes) onCode(bytes);
      }, LOOK_EVERY_MS);
    };
    start().catch((error: unknown) => stopped || setProblem(problemOf(error)));
    return stop;
  }, [onCode]);
  return { video, problem };
}

function look(video: HTMLVideoElement, canvas: HTMLCanvasElement): Uint8ClampedArray | null {
  if (video.videoWidth === 0) return null;
  const scale = Math.min(1, MAX_WIDTH_PX / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  const found = jsQR(data, width, height, { inversionAttempts: "dontInvert" });
  return found ? Uint8ClampedArray.from(found.binaryData) : null;
}

function problemOf(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "The browser does not let this page use the camera. Compare pictures instead.";
  return "The camera could not be started. Compare pictures instead.";
}
