import type { Filter } from "../../model/search.ts";
import { ask } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { exactTime } from "../../model/time.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { makeToken, revokeTokens } from "./acts.tsx";
import type { RegistrationToken } from "./shapes.ts";

const columns: readonly Column<RegistrationToken>[] = [
  { id: "token_id", label: "Token", width: "minmax(120px, 1fr)", value: ({ token_id }) => token_id, onPhone: true },
  { id: "note", label: "For", width: "minmax(140px, 1.5fr)", value: ({ note }) => note, onPhone: true },
  {
    id: "uses",
    label: "Used",
    width: "90px",
    value: ({ uses, uses_allowed }) => `${uses} of ${uses_allowed ?? "any"}`,
  },
  {
    id: "expires_ts",
    label: "Until",
    width: "190px",
    value: ({ expires_ts }) => (expires_ts === null ? "" : new Date(expires_ts).toISOString()),
    cell: ({ expires_ts }) => (expires_ts === null ? "–" : exactTime(expires_ts)),
  },
  { id: "created_by", label: "Made by", width: "minmax(120px, 1fr)", value: ({ created_by }) => created_by },
  timeColumn({ of: "created_ts", label: "Made", width: "90px" }),
  {
    id: "is_valid",
    label: "State",
    width: "90px",
    value: ({ is_valid }) => (is_valid ? "valid" : "over"),
    cell: ({ is_valid }) => (is_valid ? <StatusTag state="valid" /> : "over"),
    onPhone: true,
  },
  {
    id: "act",
    label: "Act",
    width: "100px",
    value: () => null,
    cell: (token) =>
      token.is_valid && (
        <ActButton variant="quiet" act={() => revokeTokens([token])}>
          Revoke
        </ActButton>
      ),
    onPhone: true,
  },
];

const filters: readonly Filter[] = [
  { name: "valid", label: "State", options: [{ value: "true", label: "can be used" }] },
];

/** Every registration token, without the tokens themselves: those were shown once. */
export function Tokens() {
  return (
    <DataTable
      label="Registration tokens"
      path="/registration-tokens"
      columns={columns}
      rowId={({ token_id }) => token_id}
      filters={filters}
      bulk={[
        {
          id: "revoke",
          label: "Revoke",
          icon: "ban",
          run: (tokens) => ask(revokeTokens(tokens.filter(({ is_valid }) => is_valid))),
        },
      ]}
      empty="There are no registration tokens."
      emptyAction={<ActButton act={makeToken}>Invite somebody</ActButton>}
    />
  );
}
