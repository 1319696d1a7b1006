import { useState } from "react";
import type { ShortAuthString } from "../../models/verification/flow.ts";
import type { Other } from "../../models/verification/other.ts";
import { closeVerification, confirmMatch, reportMismatch } from "../../models/verification/verification.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useSubmit } from "../auth/useSubmit.ts";
import styles from "./verification.module.css";

export function CompareEmoji({ other, sas }: { other: Other; sas: ShortAuthString }) {
  const [asNumbers, setAsNumbers] = useState(sas.emoji.length === 0);
  const { busy, failure, submit } = useSubmit("other", confirmMatch);
  const there = other.isOwnDevice ? "the other device" : `${other.name}’s screen`;
  return (
    <Dialog
      title="Do these match?"
      intro={`Compare with ${there}: the same ones, in the same order.`}
      isOpen
      onClose={closeVerification}
      role="alertdialog"
      actions={
        <>
          <Button onPress={reportMismatch}>They do not match</Button>
          <Button variant="primary" busy={busy} onPress={() => submit()}>
            They match
          </Button>
        </>
      }
    >
      {asNumbers ? (
        <p className={styles.numbers}>{sas.numbers.join(" · ")}</p>
      ) : (
        <ol className={styles.emoji}>
          {sas.emoji.map(([symbol, name], index) => (
            <li key={index}>
              <span className={styles.symbol} aria-hidden="true">
                {symbol}
              </span>
              <span>{name}</span>
            </li>
          ))}
        </ol>
      )}
      {sas.numbers.length > 0 && sas.emoji.length > 0 && (
        <Button variant="link" onPress={() => setAsNumbers(!asNumbers)}>
          {asNumbers ? "Show pictures" : "Show numbers instead"}
        </Button>
      )}
      {failure && <Notice tone="danger">{failure.text}</Notice>}
    </Dialog>
  );
}
