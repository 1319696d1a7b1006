/** Limits of media. The largest upload is a setting. */
export const mediaLimits = {
  fileName_characters: 255,
  contentType_characters: 255,
  pendingUploads: 20,
  pendingUpload_ms: 86_400_000,
  /** Uploads in pieces: how long one is kept after its last byte, the pieces it is kept in, and how many these may be. */
  uploadKept_s: 24 * 3_600,
  uploadPart_bytes: 32 * 1_048_576,
  uploadParts: 10_000,
  uploadMetadata_characters: 4_096,
  expiredUploads: 100,
  /** How long a process may take from the ticket for a file to asking another one for it. */
  lentTicket_ms: 30_000,
  mediaWait_ms: 20_000,
  mediaPoll_ms: 500,
  /** Thumbnails: the largest image, in bytes and in pixels of all its frames, and how many are made or wait for that. */
  thumbnailSource_bytes: 50 * 1_048_576,
  thumbnailSource_pixels: 60_000_000,
  thumbnailsInWork: 16,
  /** What all that are being made may have in memory together: files, and pixels. */
  thumbnailSources_bytes: 64 * 1_048_576,
  thumbnailPixels: 60_000_000,
  /** Previews of links: the longest address, steps of a redirect, the longest answer, and the time for all of that. */
  previewUrl_characters: 2_048,
  previewRedirects: 5,
  previewAnswer_bytes: 5 * 1_048_576,
  previewDeadline_ms: 10_000,
  /** What is fetched at once is in memory; how many are made or wait for that. */
  previews_bytes: 20 * 1_048_576,
  previewsInWork: 32,
  /** Where a page says its charset, and the longest text that is taken from it. */
  previewCharset_bytes: 2_048,
  previewText_characters: 1_000,
  /** How long a preview is good, and one that could not be made is not tried again. */
  previewKept_ms: 24 * 3_600_000,
  previewFailed_ms: 600_000,
} as const;
