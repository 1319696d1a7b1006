import { Button } from "../../ui/Button.tsx";

/** Shown where a file could not be fetched or decrypted. */
export function LoadAgain({ onPress }: { onPress: () => void }) {
  return (
    <Button variant="link" onPress={onPress}>
      Could not load. Try again
    </Button>
  );
}
