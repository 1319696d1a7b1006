/** What can be known of an image before it is sent: its size, and a small version of it. */

export interface Picture {
  width: number;
  height: number;
  /** Absent where the image is small itself. */
  thumbnail?: { blob: Blob; width: number; height: number };
}

const MAX_WIDTH = 800;
const MAX_HEIGHT = 600;
/** An image smaller than this is its own thumbnail. */
const SMALL_BYTES = 64 * 1024;

/** The picture of an image file; null for whatever the browser cannot show as one. */
export async function pictureOf(file: File): Promise<Picture | null> {
  if (!/^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.type)) return null;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  try {
    const { width, height } = bitmap;
    const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
    if (file.size <= SMALL_BYTES || file.type === "image/gif") return { width, height };
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
    return { width, height, thumbnail: { blob, width: canvas.width, height: canvas.height } };
  } finally {
    bitmap.close();
  }
}
