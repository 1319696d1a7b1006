import { useNavigate, useSearch as useRouterSearch } from "@tanstack/react-router";
import type { Search } from "./search.ts";

/** The parameters of the address, and how to change them. Filters replace the address; what opens something adds a step to go back. */
export function useAddress(): { search: Search; set: (search: Search, options?: { isStep?: boolean }) => void } {
  const search: Search = useRouterSearch({ strict: false });
  const navigate = useNavigate();
  return {
    search,
    set: (next, { isStep = false } = {}) => void navigate({ to: ".", search: next, replace: !isStep }),
  };
}
