/** The sizes in which thumbnails are made: few, so that nobody can ask for a thousand others. Specification: "Thumbnails". */

export interface Size {
  width: number;
  height: number;
}

export type Method = "crop" | "scale";

/** Boxes into which an image is scaled. The first three are those that the specification names. */
const BOXES: readonly Size[] = [
  { width: 320, height: 240 },
  { width: 640, height: 480 },
  { width: 800, height: 600 },
  { width: 1_600, height: 1_200 },
];

/** Of what is cropped: its longer side, and its shape. */
const SIDES = [32, 96, 320, 640, 800, 1_280, 1_600] as const;
const SHAPES = [1, 4 / 3, 3 / 2, 16 / 9, 2];

/** The smallest size that is no smaller than what is wanted; undefined where that is larger than any: then the image itself is meant. */
export function sizeFor(method: Method, wanted: Size): Size | undefined {
  const sizes = method === "scale" ? BOXES : SIDES.map((side) => shaped(side, shapeOf(wanted)));
  return sizes.find(({ width, height }) => width >= wanted.width && height >= wanted.height);
}

/** The shape that is nearest to the wanted one, above 1 where it is wider than high. */
function shapeOf({ width, height }: Size): number {
  const wanted = Math.max(width, height) / Math.min(width, height);
  const distance = (shape: number) => Math.abs(Math.log(shape / wanted));
  const nearest = SHAPES.reduce((best, shape) => (distance(shape) < distance(best) ? shape : best));
  return width >= height ? nearest : 1 / nearest;
}

function shaped(side: number, shape: number): Size {
  return shape >= 1
    ? { width: side, height: Math.round(side / shape) }
    : { width: Math.round(side * shape), height: side };
}

/** What becomes of an image of this size: never larger than it is, and of the wanted shape where it is cropped. */
export function fitted(method: Method, image: Size, box: Size): Size {
  const parts = [box.width / image.width, box.height / image.height];
  if (method === "scale") return scaled(image, Math.min(1, ...parts));
  return scaled(box, Math.min(1, ...parts.map((part) => 1 / part)));
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
