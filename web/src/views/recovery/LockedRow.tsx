import { Link } from "wouter";
import { needOf } from "../../models/crypto/need.ts";
import { useEncryptionStatus } from "../../models/crypto/status.ts";
import { Icon } from "../../ui/Icon.tsx";
import styles from "./recovery.module.css";

/** The slim row that stays until this device has its keys and the account a recovery key. Nothing when all is well. */
export function LockedRow() {
  const { status } = useEncryptionStatus();
  const need = status ? needOf(status.facts) : "nothing";
  if (need === "nothing") return null;
  return (
    <Link href={need === "create" ? "/setup" : "/recover"} className={styles.locked ?? ""}>
      <Icon name={need === "create" ? "key" : "lock"} size={14} />
      <span>{need === "create" ? "No recovery key yet" : "Older messages locked"}</span>
      <span className={styles.lockedAction}>{need === "create" ? "Set up" : "Unlock"}</span>
    </Link>
  );
}
