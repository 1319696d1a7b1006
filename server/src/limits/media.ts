/** Limits of media. The largest upload is a setting. */
export const mediaLimits = {
  fileName_characters: 255,
  contentType_characters: 255,
  pendingUploads: 20,
  pendingUpload_ms: 86_400_000,
  mediaWait_ms: 20_000,
  mediaPoll_ms: 500,
  /** Thumbnails: the largest image, in bytes and in pixels of all its frames, and how many are made or wait for that. */
  thumbnailSource_bytes: 50 * 1_048_576,
  thumbnailSource_pixels: 60_000_000,
  thumbnailsInWork: 16,
  /** What all that are being made may have in memory together: files, and pixels. */
  thumbnailSources_bytes: 64 * 1_048_576,
  thumbnailPixels: 60_000_000,
} as const;
