import { useEffect } from "react";

/** Keeps the composer above a phone's keyboard: the page is as high as what can be seen (`visualViewport`). */
export function useVisualHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const apply = () => document.documentElement.style.setProperty("--visible", `${viewport.height}px`);
    apply();
    viewport.addEventListener("resize", apply);
    return () => {
      viewport.removeEventListener("resize", apply);
      document.documentElement.style.removeProperty("--visible");
    };
  }, []);
}
