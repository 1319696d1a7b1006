/** The last requests of directories that were refused, for operators. What is kept holds no query, no body and no secret. */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";

export interface ScimError {
  token_name: string;
  method: string;
  /** Behind /scim/v2. */
  path: string;
  status: number;
  detail: string;
}

/** Writes one down, and forgets the oldest. What is being answered is not held up by a failure here. */
export async function noteError(ctx: Context, error: ScimError): Promise<void> {
  const { token_name, method, path, status, detail } = error;
  try {
    await ctx.db.auth.change(
      `with noted as (
         insert into auth.scim_errors (token_name, method, path, status, detail) values ($1, $2, $3, $4, $5) returning error_id
       )
       delete from auth.scim_errors where error_id <= (select error_id from noted) - $6::bigint`,
      [
        token_name,
        method,
        cut(path, limits.scimPath_characters),
        status,
        cut(detail, limits.scimDetail_characters),
        limits.scimErrors,
      ],
    );
  } catch (thrown) {
    ctx.logger.warn({ err: asError(thrown) }, "a refused request of a directory is not written down");
  }
}

function cut(text: string, most_characters: number): string {
  return text.slice(0, most_characters).toWellFormed().replaceAll("\0", "");
}

/** The newest first. */
export function listErrors(ctx: Context): Promise<(ScimError & { error_id: number; time_ts: number })[]> {
  return ctx.db.auth.query(
    `select error_id, floor(extract(epoch from happened_at) * 1000)::bigint as time_ts, token_name, method, path, status, detail
     from auth.scim_errors order by error_id desc limit $1`,
    [limits.scimErrors],
  );
}
