// Runs before the first paint, so that the page never flashes in the wrong theme. A file of its own, because the
// content security policy allows no inline script. The same key is written by src/ui/theme.ts.
try {
  const theme = localStorage.getItem("parley.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked; the system's theme then holds.
}
