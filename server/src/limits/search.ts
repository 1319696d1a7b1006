/** Limits of the search in what people wrote. */
export const searchLimits = {
  /** Who keeps the index, for how long without a sign of life; and positions of the log that one stretch goes through. */
  searchLease_ms: 30_000,
  searchSpan_positions: 1_000,
  /** Texts that are taken apart before everybody else in the process has a turn: 100 take about 3 ms. */
  searchTurn_items: 100,
  /** Of what is taken away, so many rows by one statement. */
  searchTakenAway_rows: 100_000,
  /** How often it is noted that nothing is missing. */
  searchCurrent_ms: 60_000,
  /**
   * Between two stretches; after one that began so far behind: in multiples of the work, and at the most, which is less than a search
   * waits. And how long it rests at the most when nothing is said to be new.
   */
  searchBreath_ms: 50,
  searchBusy_entries: 200,
  searchRest: 3,
  searchRest_ms: 1_000,
  searchPause_ms: 2_000,
  /** How long a search waits for the index to have what was sent before, how often it looks, and how far behind that is worth it. */
  searchWait_ms: 2_000,
  searchLook_ms: 25,
  searchBehind_entries: 2_000,
  /**
   * Of a text, the words that are found and the longest; of what is searched for, its length, its words, and the pieces that they have
   * together. How well a text is found goes by so many places of each word.
   */
  searchText_words: 10_000,
  searchText_characters: 100_000,
  searchWord_characters: 100,
  searchTerm_characters: 1_000,
  searchTerm_words: 20,
  searchTerm_pieces: 60,
  searchRanked_places: 4,
  /** From so many characters on the beginning of a word finds it. */
  searchPrefix_characters: 3,
  /** Rooms with matches that are looked at, and rooms that are named to the index one by one. */
  search_rooms: 500,
  searchNamed_rooms: 8,
  /** Matches that are counted and ranked; where there are more, the oldest are left out. */
  searchMatches: 50_000,
  /** A page, and the events on each side of a result. */
  searchDefaultPage_events: 10,
  searchPage_events: 100,
  searchDefaultContext_events: 5,
  searchContext_events: 20,
} as const;
