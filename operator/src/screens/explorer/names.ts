/** Words and names of Cypher, for those who need no editor. */
export const KEYWORDS =
  "MATCH OPTIONAL WHERE RETURN DISTINCT WITH UNWIND AS ORDER BY ASC DESC SKIP LIMIT UNION ALL CREATE MERGE SET REMOVE DELETE DETACH AND OR XOR NOT IN STARTS ENDS CONTAINS IS NULL TRUE FALSE CASE WHEN THEN ELSE END EXISTS CALL YIELD".split(
    " ",
  );
export const keywords: ReadonlySet<string> = new Set(KEYWORDS);

/** A name as Cypher takes it. */
export function written(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !keywords.has(name.toUpperCase()) ? name : `\`${name.replaceAll("`", "``")}\``;
}
