/**
 * Makes an image smaller. The library works on threads of its own; what a small file can unfold to is looked at before it is
 * unfolded, and all that is being made has a bound together.
 */
import type { Metadata } from "sharp";
import { openRoom } from "../blobs/parts.ts";
import { asError, matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { fitted, type Method, type Size } from "./thumbnail-size.ts";

export interface Wanted {
  method: Method;
  box: Size;
  animated: boolean;
}

export interface Rendered {
  bytes: Buffer;
  contentType: string;
}

export interface Picture extends Size {
  format: string;
  /** Of what moves, all frames count. */
  pixels: number;
  isMoving: boolean;
  hasAlpha: boolean;
  isTurned: boolean;
}

const pixelsInWork = openRoom(limits.thumbnailPixels);

type Sharp = typeof import("sharp").default;
let loading: Promise<Sharp> | undefined;

/** Loaded when first needed: it is large, and many servers only ever see encrypted images. It reads these formats and no other. */
function library(): Promise<Sharp> {
  return (loading ??= import("sharp").then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.block({ operation: ["VipsForeignLoad"] });
    const readable = ["Jpeg", "Png", "Nsgif", "Webp", "Heif"].map((format) => `VipsForeignLoad${format}`);
    sharp.unblock({ operation: readable });
    return sharp;
  }));
}

/** What a file is, from its first bytes on. Throws M_UNKNOWN for what is no image that can be read. */
export async function readPicture(source: Buffer): Promise<Picture> {
  const sharp = await library();
  // Its head alone is read here, so its size is no danger yet.
  const read = await sharp(source, { animated: true, limitInputPixels: false }).metadata().catch(refuse);
  const { width, height: allFrames, format, pages = 1, pageHeight = allFrames, hasAlpha } = read;
  const upright = (read.orientation ?? 1) < 5 ? { width, height: pageHeight } : { width: pageHeight, height: width };
  return {
    ...upright,
    format: read.compression === "av1" ? "avif" : format,
    pixels: width * allFrames,
    isMoving: pages > 1 || isMovingPng(source, read),
    hasAlpha,
    isTurned: (read.orientation ?? 1) !== 1,
  };
}

/** The library sees the first frame of an animated PNG alone. */
function isMovingPng(source: Buffer, { format }: Metadata): boolean {
  return format === "png" && source.subarray(0, source.indexOf("IDAT")).includes("acTL");
}

/** The picture in the wanted size. Throws M_TOO_LARGE and M_UNKNOWN. */
export async function render(source: Buffer, picture: Picture, { method, box, animated }: Wanted): Promise<Rendered> {
  const { format, pixels, isMoving, hasAlpha } = picture;
  const moves = animated && isMoving && format !== "png" && pixels <= limits.thumbnailSource_pixels;
  const unfolded = moves ? pixels : picture.width * picture.height;
  if (unfolded > limits.thumbnailSource_pixels)
    throw matrixError("M_TOO_LARGE", "The image is too large for a thumbnail.");
  const sharp = await library();
  return pixelsInWork.with(unfolded, async () => {
    const image = sharp(source, { animated: moves, limitInputPixels: limits.thumbnailSource_pixels, failOn: "error" });
    const size = fitted(method, picture, box);
    const small = image.autoOrient().resize({ ...size, fit: method === "crop" ? "cover" : "fill" });
    if (moves) return encode("image/webp", small.webp({ quality: 80 }));
    return hasAlpha ? encode("image/png", small.png()) : encode("image/jpeg", small.jpeg({ quality: 82 }));
  });
}

async function encode(contentType: string, image: { toBuffer(): Promise<Buffer> }): Promise<Rendered> {
  return { contentType, bytes: await image.toBuffer().catch(refuse) };
}

function refuse(thrown: unknown): never {
  throw matrixError("M_UNKNOWN", `There is no thumbnail: the image can not be read (${asError(thrown).message}).`, {
    status: 400,
  });
}
