/** One setting: an environment variable. */
export interface Setting {
  name: string;
  /** As a person would write it; undefined where the default is worked out from other settings. */
  default?: string;
  /** A secret's value is never shown. */
  secret?: boolean;
  doc: string;
  /** Other names for it, which other software gave it. Several may be set where they say the same. */
  aliases?: readonly string[];
}
