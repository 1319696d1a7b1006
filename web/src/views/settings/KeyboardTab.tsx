export function KeyboardTab() {
  return null;
}
