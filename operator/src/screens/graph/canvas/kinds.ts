/** Colour and shape of each type of node: a type is known by either alone. */

export type Shape = "circle" | "square" | "diamond" | "triangle" | "hexagon";

export interface Look {
  shape: Shape;
  colour: string;
}

interface Hue {
  light: string;
  dark: string;
}

const KNOWN: Readonly<Record<string, { shape: Shape; hue: Hue }>> = {
  person: { shape: "circle", hue: { light: "#0b6e63", dark: "#4cc3b2" } },
  space: { shape: "square", hue: { light: "#6b4fa0", dark: "#b9a2e8" } },
  room: { shape: "diamond", hue: { light: "#a04a1b", dark: "#eb9a6a" } },
  device: { shape: "triangle", hue: { light: "#2b5f9e", dark: "#82b3ea" } },
  bot: { shape: "hexagon", hue: { light: "#7a6300", dark: "#dcc04f" } },
  service: { shape: "square", hue: { light: "#9a2c5e", dark: "#ec8fb8" } },
  export: { shape: "triangle", hue: { light: "#7a2222", dark: "#f0908c" } },
  "legal access": { shape: "hexagon", hue: { light: "#7a2222", dark: "#f0908c" } },
  more: { shape: "circle", hue: { light: "#8c8d85", dark: "#6e7370" } },
};

/** For the labels of somebody else's graph, by turns. */
const HUES: readonly Hue[] = [
  { light: "#0b6e63", dark: "#4cc3b2" },
  { light: "#6b4fa0", dark: "#b9a2e8" },
  { light: "#a04a1b", dark: "#eb9a6a" },
  { light: "#2b5f9e", dark: "#82b3ea" },
  { light: "#7a6300", dark: "#dcc04f" },
  { light: "#9a2c5e", dark: "#ec8fb8" },
];
const SHAPES: readonly Shape[] = ["circle", "square", "diamond", "triangle", "hexagon"];

/** The look of a type. One that is not known here gets one by its name, always the same. */
export function lookOf(type: string, theme: "light" | "dark"): Look {
  const known = KNOWN[type.toLowerCase()];
  if (known) return { shape: known.shape, colour: known.hue[theme] };
  let hash = 7;
  for (const letter of type) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 100_003;
  const hue = HUES[hash % HUES.length] as Hue;
  return { shape: SHAPES[Math.floor(hash / HUES.length) % SHAPES.length] as Shape, colour: hue[theme] };
}

/** The corners of a shape around 0/0, of the given size; none for a circle. */
export function cornersOf(shape: Shape, size: number): { x: number; y: number }[] {
  const { count, turn } = {
    circle: { count: 0, turn: 0 },
    square: { count: 4, turn: 45 },
    diamond: { count: 4, turn: 0 },
    triangle: { count: 3, turn: -90 },
    hexagon: { count: 6, turn: 0 },
  }[shape];
  return Array.from({ length: count }, (_, index) => {
    const angle = ((turn + (index * 360) / count) * Math.PI) / 180;
    return { x: Math.cos(angle) * size, y: Math.sin(angle) * size };
  });
}
