import { create } from "zustand";

/** A dialog of the shell. At most one is open; opening another replaces it. */
export type Layer =
  | { layer: "none" }
  | { layer: "switcher" }
  | { layer: "create" }
  | { layer: "browse" }
  | { layer: "direct" }
  | { layer: "keyboard" }
  | { layer: "invite"; roomId: string }
  | { layer: "leave"; roomId: string };

interface Layers {
  current: Layer;
  open: (layer: Layer) => void;
  close: () => void;
}

export const useLayers = create<Layers>((set) => ({
  current: { layer: "none" },
  open: (layer) => set({ current: layer }),
  close: () => set({ current: { layer: "none" } }),
}));
