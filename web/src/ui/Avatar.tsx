import { bucketOf, initials } from "../models/format/words.ts";
import { cx } from "./cx.ts";
import styles from "./Avatar.module.css";

export interface AvatarProps {
  /** Decides the colour; always the same for the same person or room. */
  id: string;
  name: string;
  /** A `blob:` address; the initials stand until it is there. */
  src?: string | undefined;
  size: 16 | 20 | 24 | 36 | 40 | 64;
  /** A circle with the presence colour at the corner. */
  className?: string | undefined;
}

const HUES = 12;

/** A picture or, without one, initials on one of twelve muted colours of equal lightness. Decoration: the name stands beside it. */
export function Avatar({ id, name, src, size, className }: AvatarProps) {
  const hue = bucketOf(id, HUES);
  return (
    <span className={cx(styles["avatar"], styles[`s${size}`], styles[`h${hue}`], className)} aria-hidden="true">
      {src ? <img src={src} alt="" draggable={false} /> : initials(name)}
    </span>
  );
}
