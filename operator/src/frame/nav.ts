import { createContext, use } from "react";

export interface Nav {
  /** Shows the navigation where it does not stand beside the screen. */
  open: () => void;
}

export const NavContext = createContext<Nav>({ open: () => undefined });

export function useNav(): Nav {
  return use(NavContext);
}
