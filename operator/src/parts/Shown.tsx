import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failed, Loading } from "./States.tsx";

/** What an answer holds, or in its place that it is awaited or did not come. What was there before stays until there is something new. */
export function Shown<T>({ answer, children }: { answer: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (answer.data !== undefined) return children(answer.data);
  if (answer.error) return <Failed error={answer.error} onRetry={() => void answer.refetch()} />;
  return <Loading />;
}
