/** The picture as a file: SVG, and PNG from the same drawing. Nothing of the screen is copied, so it is sharp at any size. */
import { cornersOf, lookOf } from "./kinds.ts";
import type { GraphData, Point } from "./model.ts";

export interface Drawing {
  data: GraphData;
  positions: ReadonlyMap<string, Point>;
  theme: "light" | "dark";
}

const PAPER = {
  light: { back: "#ffffff", text: "#1b1c1a", line: "#8c8d85" },
  dark: { back: "#17191a", text: "#e9eae6", line: "#6e7370" },
};
const MARGIN = 80;
const SIZE = 9;

/** The positions in pixels of a picture, with its size. The layout's y grows upwards, a picture's downwards. */
function scaled({ data, positions }: Drawing) {
  const points = data.nodes.map(({ id }) => positions.get(id) ?? { x: 0, y: 0 });
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => -y)];
  const [left, top] = [Math.min(0, ...xs), Math.min(0, ...ys)];
  const extent = Math.max(1, Math.max(0, ...xs) - left, Math.max(0, ...ys) - top);
  const scale = Math.max(600, Math.min(2_400, 160 * Math.sqrt(points.length + 1))) / extent;
  const at = new Map(
    data.nodes.map(({ id }, index) => [
      id,
      { x: MARGIN + ((xs[index] ?? 0) - left) * scale, y: MARGIN + ((ys[index] ?? 0) - top) * scale },
    ]),
  );
  const width = (Math.max(0, ...xs) - left) * scale + 2 * MARGIN;
  const height = (Math.max(0, ...ys) - top) * scale + 2 * MARGIN;
  return { at, width: Math.round(width), height: Math.round(height) };
}

/** Text for XML, which has no place for control characters. */
function escaped(text: string): string {
  const letters = Array.from(text).filter((letter) => letter >= " " || letter === "\n" || letter === "\t");
  return letters.join("").replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

export function toSvg(drawing: Drawing): string {
  const { at, width, height } = scaled(drawing);
  const paper = PAPER[drawing.theme];
  const edges = drawing.data.edges.map(({ from, to, label }) => {
    const [a, b] = [at.get(from) as Point, at.get(to) as Point];
    return `<line x1="${a.x.toFixed(1)}" y1="${a.y.toFixed(1)}" x2="${b.x.toFixed(1)}" y2="${b.y.toFixed(1)}" stroke="${paper.line}"><title>${escaped(label)}</title></line>`;
  });
  const nodes = drawing.data.nodes.map(({ id, type, label }) => {
    const { x, y } = at.get(id) as Point;
    const { shape, colour } = lookOf(type, drawing.theme);
    const corners = cornersOf(shape, SIZE).map((each) => `${(x + each.x).toFixed(1)},${(y + each.y).toFixed(1)}`);
    const form =
      corners.length > 0
        ? `<polygon points="${corners.join(" ")}" fill="${colour}"/>`
        : `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${SIZE}" fill="${colour}"/>`;
    return `<g><title>${escaped(`${type} ${label}`)}</title>${form}<text x="${(x + SIZE + 5).toFixed(1)}" y="${(y + 4).toFixed(1)}" fill="${paper.text}">${escaped(label)}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="IBM Plex Sans, sans-serif" font-size="12"><rect width="100%" height="100%" fill="${paper.back}"/>${edges.join("")}${nodes.join("")}</svg>`;
}

const PIXELS = 2;

/** The same picture as a PNG, at twice its size. */
export async function toPng(drawing: Drawing): Promise<Blob> {
  const { at, width, height } = scaled(drawing);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * PIXELS, height * PIXELS];
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser does not draw pictures.");
  const paper = PAPER[drawing.theme];
  pen.scale(PIXELS, PIXELS);
  pen.fillStyle = paper.back;
  pen.fillRect(0, 0, width, height);
  pen.strokeStyle = paper.line;
  for (const { from, to } of drawing.data.edges) {
    const [a, b] = [at.get(from) as Point, at.get(to) as Point];
    pen.beginPath();
    pen.moveTo(a.x, a.y);
    pen.lineTo(b.x, b.y);
    pen.stroke();
  }
  pen.font = "12px 'IBM Plex Sans Variable', sans-serif";
  for (const { id, type, label } of drawing.data.nodes) {
    const { x, y } = at.get(id) as Point;
    drawShape(pen, { x, y, size: SIZE, ...lookOf(type, drawing.theme) });
    pen.fillStyle = paper.text;
    pen.fillText(label, x + SIZE + 5, y + 4);
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture could not be made."))), "image/png"),
  );
}

type Placed = Point & ReturnType<typeof lookOf> & { size: number };

function drawShape(pen: CanvasRenderingContext2D, { x, y, size, shape, colour }: Placed): void {
  pen.fillStyle = colour;
  pen.beginPath();
  if (shape === "circle") pen.arc(x, y, size, 0, 2 * Math.PI);
  for (const corner of cornersOf(shape, size)) pen.lineTo(x + corner.x, y + corner.y);
  pen.fill();
}
