import type { ReactNode } from "react";
import { Button, type ButtonProps } from "../../../web/src/ui/Button.tsx";
import { Tip } from "../../../web/src/ui/Tooltip.tsx";
import type { Role } from "../session.ts";
import { type Act, ask } from "./acts.ts";
import { useWriteBar } from "./useWriteBar.ts";

export interface ActButtonProps extends Pick<ButtonProps, "variant" | "size" | "icon"> {
  act: () => Act;
  /** The role that it needs. */
  needs?: Role;
  children: ReactNode;
}

/** A button that asks for an act. Where nothing can be changed it is off, and says why. */
export function ActButton({ act, needs = "operator", children, size = "compact", ...rest }: ActButtonProps) {
  const bar = useWriteBar(needs);
  const button = (
    <Button {...rest} size={size} isDisabled={bar !== null} onPress={() => ask(act())}>
      {children}
    </Button>
  );
  return bar === null ? button : <Tip label={bar}>{button}</Tip>;
}
