/** What may stand before a bracket in Cypher, in lower case. */

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** The functions that Apache AGE has for people, as its manual lists them; its library has others, for itself. */
export const FUNCTIONS = words(
  `exists isempty coalesce all any none single reduce
  id start_id end_id startnode endnode type label labels properties keys nodes relationships length vertex_stats
  head last tail size range reverse
  toboolean tofloat tointeger tostring tobooleanlist tofloatlist tointegerlist tostringlist
  abs ceil floor round sign rand e exp log log10 sqrt pi degrees radians sin cos tan cot asin acos atan atan2
  replace split left right substring trim ltrim rtrim tolower toupper timestamp
  count sum avg min max collect stdev stdevp percentilecont percentiledisc`,
);

/** Words of the language behind which a bracket begins a pattern or an expression. */
export const BEFORE_BRACKETS = words(
  `match create merge delete where and or xor not in with return distinct by skip limit unwind contains
  case when then else set call`,
);
