import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Copied } from "../../parts/Copied.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { Time } from "../../parts/Time.tsx";
import { count } from "../../parts/words.ts";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import { connectDirectory, revokeDirectory } from "./directories.tsx";
import type { DirectoryToken, Provisioning as State, RefusedRequest } from "./shapes.ts";

const EVERY_MS = 30_000;

const tokenColumns: SimpleTableProps<DirectoryToken>["columns"] = [
  { id: "name", label: "Directory", value: ({ name }) => name },
  timeColumn({ of: "last_used_ts", label: "Last used", width: "" }),
  { id: "last_used_address", label: "From", value: ({ last_used_address }) => last_used_address ?? "–" },
  { id: "provider", label: "Signs in by", value: ({ provider }) => provider ?? "–" },
  { id: "created_by", label: "Made by", value: ({ created_by }) => created_by },
  timeColumn({ of: "created_ts", label: "Made", width: "" }),
  {
    id: "act",
    label: "Act",
    value: () => null,
    cell: (token) => (
      <ActButton variant="quiet" needs="owner" act={() => revokeDirectory(token)}>
        Revoke
      </ActButton>
    ),
  },
];

const errorColumns: SimpleTableProps<RefusedRequest>["columns"] = [
  timeColumn({ of: "time_ts", label: "When", width: "" }),
  { id: "token_name", label: "Directory", value: ({ token_name }) => token_name },
  { id: "request", label: "Request", value: ({ method, path }) => `${method} ${path}` },
  { id: "status", label: "Status", value: ({ status }) => status, atEnd: true },
  { id: "detail", label: "What it was told", value: ({ detail }) => detail },
];

/** How a company's directory makes and ends accounts, when it was here last, and what it was refused. */
export function Provisioning() {
  const state = useAnswer<State>("/provisioning", { every_ms: EVERY_MS });
  const tokens = useAnswer<{ items: DirectoryToken[] }>("/provisioning/tokens", { every_ms: EVERY_MS });
  const errors = useAnswer<{ items: RefusedRequest[] }>("/provisioning/errors", { every_ms: EVERY_MS });
  return (
    <>
      <Section
        title="Directory"
        intro="Okta, Entra ID and others make the accounts of a company's people and end them, by SCIM 2.0. Operators' accounts are not theirs to change."
      >
        <Shown answer={state}>
          {({ address, people, last_request_ts, last_change_ts }) => (
            <>
              <Copied label="Address" text={address} />
              <Facts>
                <Fact name="People of directories">{count(people, "active account")}</Fact>
                <Fact name="Last request">{last_request_ts !== null && <Time at_ms={last_request_ts} />}</Fact>
                <Fact name="Last change">{last_change_ts !== null && <Time at_ms={last_change_ts} />}</Fact>
              </Facts>
            </>
          )}
        </Shown>
      </Section>
      <Section
        title="Tokens"
        intro="Each was shown once. To change one, make another, give it to the directory, and revoke the first."
        action={
          <ActButton needs="owner" act={() => connectDirectory(state.data?.providers ?? [])}>
            Connect a directory
          </ActButton>
        }
      >
        <Shown answer={tokens}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>No directory is connected.</Empty>
            ) : (
              <SimpleTable
                label="Tokens of directories"
                items={items}
                columns={tokenColumns}
                rowId={({ token_id }) => token_id}
              />
            )
          }
        </Shown>
      </Section>
      <Section
        title="Refused requests"
        intro="The last hundred of known directories, with the sentence that each was told."
      >
        <Shown answer={errors}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>Nothing was refused.</Empty>
            ) : (
              <SimpleTable
                label="Refused requests"
                items={items}
                columns={errorColumns}
                rowId={({ error_id }) => String(error_id)}
              />
            )
          }
        </Shown>
      </Section>
    </>
  );
}
