import { Button } from "../../ui/Button.tsx";

interface SubmitButtonProps {
  label: string;
  busy: boolean;
  isComplete: boolean;
  /** Until trying again makes sense. */
  wait_s: number;
}

/** Sends a form of somebody who is not signed in; after too many attempts it counts down. */
export function SubmitButton({ label, busy, isComplete, wait_s }: SubmitButtonProps) {
  return (
    <Button type="submit" variant="primary" size="large" wide busy={busy} isDisabled={!isComplete || wait_s > 0}>
      {wait_s > 0 ? `Try again in ${wait_s} s` : label}
    </Button>
  );
}
