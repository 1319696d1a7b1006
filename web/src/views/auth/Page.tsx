import { type ReactNode, useEffect } from "react";
import styles from "./Page.module.css";

/** A full screen outside the rooms: one column, a title, and what there is to do. */
export function Page({
  title,
  intro,
  width = "narrow",
  footer,
  children,
}: {
  title: string;
  intro?: ReactNode;
  width?: "narrow" | "wide";
  footer?: ReactNode;
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  return (
    <div className={styles.screen}>
      <header className={styles.brand}>
        <img src="/favicon.svg" alt="" width={20} height={20} />
        Parley
      </header>
      <main className={width === "wide" ? styles.wide : styles.narrow}>
        <div>
          <h1 className={styles.title}>{title}</h1>
          {intro && <p className={styles.intro}>{intro}</p>}
        </div>
        {children}
        {footer && <footer className={styles.footer}>{footer}</footer>}
      </main>
    </div>
  );
}
