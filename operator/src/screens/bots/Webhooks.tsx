import { pathOf } from "../../api.ts";
import { type ListPage, useAnswer } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime, lengthOf } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { count, sizeOf } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { deleteWebhook, makeWebhook, rollWebhook, switchWebhook } from "./acts.tsx";
import type { Delivery, Webhook } from "./shapes.ts";
import styles from "./Webhooks.module.css";

const columns: readonly Column<Webhook>[] = [
  { id: "name", label: "Webhook", width: "minmax(140px, 1fr)", value: ({ name }) => name, onPhone: true },
  { id: "bot", label: "Posts as", width: "minmax(140px, 1fr)", value: ({ bot }) => bot },
  { id: "room_id", label: "Into", width: "minmax(160px, 1.4fr)", value: ({ room_id }) => room_id },
  {
    id: "enabled",
    label: "State",
    width: "80px",
    value: ({ enabled }) => (enabled ? "on" : "off"),
    cell: ({ enabled }) => <StatusTag state={enabled ? "on" : "off"} />,
    onPhone: true,
  },
  timeColumn({ of: "rolled_ts", id: "rolled", label: "Address since", width: "110px" }),
  {
    id: "act",
    label: "Act",
    width: "280px",
    value: () => null,
    cell: (webhook) => (
      <>
        <ActButton variant="quiet" act={() => switchWebhook(webhook)}>
          {webhook.enabled ? "Switch off" : "Switch on"}
        </ActButton>
        <ActButton variant="quiet" act={() => rollWebhook(webhook)}>
          Roll
        </ActButton>
        <ActButton variant="quiet" act={() => deleteWebhook(webhook)}>
          Remove
        </ActButton>
      </>
    ),
  },
];

const filters: readonly Filter[] = [
  { name: "bot", label: "Posts as" },
  { name: "room_id", label: "Into" },
];

/** Addresses at which other software posts. One that is pressed shows what came in, and not what it said. */
export function Webhooks() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Webhooks"
        path="/webhooks"
        columns={columns}
        rowId={({ webhook_id }) => webhook_id}
        onOpen={({ webhook_id }) => set({ ...search, open: webhook_id }, { isStep: true })}
        filters={filters}
        empty="There are no webhooks."
        emptyAction={<ActButton act={makeWebhook}>Make one</ActButton>}
      />
      {open !== undefined && <Deliveries webhookId={open} onClose={() => set(rest)} />}
    </>
  );
}

const deliveryColumns: SimpleTableProps<Delivery>["columns"] = [
  { id: "at", label: "Time", value: ({ at_ts }) => exactTime(at_ts) },
  { id: "status", label: "Status", value: ({ status, error }) => `${status} ${error ?? ""}` },
  { id: "took", label: "Took", value: ({ took_ms }) => lengthOf(took_ms), atEnd: true },
  { id: "size", label: "Size", value: ({ size_bytes }) => sizeOf(size_bytes), atEnd: true },
  { id: "from", label: "From", value: ({ address }) => address },
];

const deliveryDetail: SimpleTableProps<Delivery>["detail"] = {
  label: "Headers",
  show: (delivery) => <Headers of={delivery} />,
};

function Deliveries({ webhookId, onClose }: { webhookId: string; onClose: () => void }) {
  const deliveries = useAnswer<ListPage<Delivery>>(pathOf`/webhooks/${webhookId}/deliveries`, {
    query: { limit: 100 },
  });
  return (
    <Sheet title="What came in" onClose={onClose}>
      <Shown answer={deliveries}>
        {({ items }) =>
          items.length > 0 ? (
            <SimpleTable
              label="Deliveries"
              items={items}
              columns={deliveryColumns}
              rowId={({ delivery_id }) => String(delivery_id)}
              detail={deliveryDetail}
            />
          ) : (
            <Empty>Nothing has come in yet.</Empty>
          )
        }
      </Shown>
    </Sheet>
  );
}

/** Those that are kept, and how many are not: they may be secrets. */
function Headers({ of: { headers, headers_left_out } }: { of: Delivery }) {
  const kept = Object.entries(headers).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return (
    <div className={styles["headers"]}>
      {kept.length > 0 ? (
        <Facts>
          {kept.map(([name, value]) => (
            <Fact key={name} name={name}>
              {value && <code>{value}</code>}
            </Fact>
          ))}
        </Facts>
      ) : (
        <p>No headers were kept.</p>
      )}
      {headers_left_out !== null && headers_left_out > 0 && (
        <p>
          {count(headers_left_out, kept.length > 0 ? "more header" : "header")}
          {headers_left_out === 1 ? " is not kept." : " are not kept."}
        </p>
      )}
    </div>
  );
}
