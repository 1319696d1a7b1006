import { Time } from "../parts/Time.tsx";
import type { Column } from "./types.ts";

type Options<K extends string> = Omit<Column<unknown>, "id" | "value" | "cell"> & {
  /** The member that has the moment, in milliseconds; null where there is none. */
  of: K;
  /** Where it is not the member's name. */
  id?: string;
};

/** A column of a moment: how long ago on the screen, the milliseconds in a file. */
export function timeColumn<K extends string>({ of, id = of, ...rest }: Options<K>): Column<Record<K, number | null>> {
  return { ...rest, id, value: (item) => item[of], cell: (item) => <Time at_ms={item[of]} /> };
}
