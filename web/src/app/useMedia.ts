import { useEffect, useState } from "react";
import type { MediaSource } from "../models/timeline/item.ts";
import { useMessenger } from "./context.ts";

export type MediaState =
  | { phase: "loading" }
  | { phase: "ready"; url: string }
  | { phase: "failed"; retry: () => void };

/** The decrypted bytes of a file as an address for `src`. Loaded when first shown; kept by the messenger's media loader. */
export function useMedia(source: MediaSource): MediaState {
  const { media } = useMessenger();
  const [loaded, setLoaded] = useState<{ mxc: string; url: string | null } | null>(null);
  const load = () => {
    let current = true;
    const finish = (url: string | null) => current && setLoaded({ mxc: source.mxc, url });
    media.url(source).then(finish, () => finish(null));
    return () => {
      current = false;
    };
  };
  useEffect(load, [media, source]);
  if (loaded?.mxc !== source.mxc) return { phase: "loading" };
  if (loaded.url !== null) return { phase: "ready", url: loaded.url };
  const retry = () => {
    setLoaded(null);
    load();
  };
  return { phase: "failed", retry };
}

/** The address of an avatar, undefined until it is there and when it cannot be had: initials stand instead. */
export function useAvatar(mxc: string | undefined, size_px: number): string | undefined {
  const { media } = useMessenger();
  const [loaded, setLoaded] = useState<{ mxc: string; url: string } | null>(null);
  useEffect(() => {
    if (!mxc) return;
    let current = true;
    media.avatar(mxc, size_px).then(
      (url) => current && setLoaded({ mxc, url }),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [media, mxc, size_px]);
  return mxc && loaded?.mxc === mxc ? loaded.url : undefined;
}
