/** The access graph: a question, its answer as picture, table and text. What is asked and how it is shown stands in the address. */
import { lengthOf, timeOfDay } from "../../model/time.ts";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { useAddress } from "../../model/useSearch.ts";
import { Empty } from "../../parts/States.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { AnswerPane } from "./AnswerPane.tsx";
import { QuestionPane } from "./QuestionPane.tsx";
import { type Answer, askedBy, type Status } from "./questions.ts";
import styles from "./Graph.module.css";

const STATUS_MS = 5_000;

export default function Graph() {
  const { search, set } = useAddress();
  const status = useAnswer<Status>("/graph/status", { every_ms: STATUS_MS });
  const asked = askedBy(search);
  const answer = useAnswer<Answer>(asked?.question.path ?? "", {
    query: asked?.query ?? {},
    enabled: asked !== undefined,
  });
  return (
    <Screen title="Access graph" detail={status.data && ageOf(status.data)} fills>
      <div className={styles["panes"]}>
        <QuestionPane search={search} set={set} status={status.data} />
        {status.data?.is_stale && (
          <p className={styles["stale"]} role="status">
            {status.data.rebuilding || status.data.as_of_ts === null
              ? "The graph is being built: answers are not complete yet."
              : `The graph is behind: answers are as of ${timeOfDay(status.data.as_of_ts)}. A worker has to run.`}
          </p>
        )}
        {asked ? (
          <div className={styles["answer"]}>
            <Shown answer={answer}>
              {(found) => <AnswerPane key={JSON.stringify(asked.query)} answer={found} search={search} set={set} />}
            </Shown>
          </div>
        ) : (
          <div className={styles["answer"]}>
            <Empty>Choose a question, and who or what it is about. Nothing changes by asking.</Empty>
          </div>
        )}
      </div>
    </Screen>
  );
}

/** "as of 14:02, 3 s behind". */
function ageOf({ as_of_ts, behind_ms, back_end }: Status): string {
  const where = back_end === "age" ? "Apache AGE" : "plain tables";
  if (as_of_ts === null || behind_ms === null) return `not built yet, in ${where}`;
  return `as of ${timeOfDay(as_of_ts)}, ${behind_ms === 0 ? "nothing missing" : `${lengthOf(behind_ms)} behind`}, in ${where}`;
}
