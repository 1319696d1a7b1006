/** The longest side of an avatar; larger pictures are made smaller before they leave the browser. */
const SIDE_PX = 512;

/** A square picture of at most 512 pixels from the middle of an image file. Throws when the browser cannot read it. */
export async function squarePicture(file: File): Promise<Blob> {
  const image = await createImageBitmap(file);
  const side = Math.min(image.width, image.height);
  const size = Math.min(side, SIDE_PX);
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser cannot draw pictures");
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, size, size);
  image.close();
  return canvas.convertToBlob({ type: "image/webp", quality: 0.9 });
}
