import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { Block } from "../../parts/Block.tsx";
import { type Drafted, withSecret } from "./drafting.ts";
import styles from "./Settings.module.css";

/** What has to be written where: one of three places. The secret is shown in none of them. */
export function Places({ result, secret }: { result: Drafted; secret: string }) {
  const { others, env, secret_file, helm_values, stored, external_secret } = result;
  const isFirst = others.length === 0;
  const what = isFirst ? "The list" : "The entry";
  return (
    <>
      <p>
        People sign in by it once PARLEY_SSO_PROVIDERS is set, in one of these places, and Parley has started again.
        Nothing of it was stored here.
      </p>
      {!isFirst && (
        <Notice title={`${others.join(", ")}: leave what is there`}>
          PARLEY_SSO_PROVIDERS has providers already. What stands below is one more entry for its list, after a comma.
        </Notice>
      )}
      <h3 className={styles["place"]}>On a machine</h3>
      {secret_file && (
        <p className={styles["origin"]}>
          The client secret goes into the file <code>{secret_file}</code>, which Parley alone can read.
        </p>
      )}
      <Block label={isFirst ? "Line for .env" : "Entry for .env"} text={env} />
      <h3 className={styles["place"]}>With the Helm chart</h3>
      <p className={styles["origin"]}>
        The values say where the store of secrets has the list; the list itself is kept there
        {secret_file ? ". It is copied with the client secret in it." : "."}
      </p>
      <Block label="Values" text={helm_values} />
      <Block label={`${what} for the store of secrets`} text={stored} copied={withSecret(stored, secret)} />
      <h3 className={styles["place"]}>As an External Secret of your own</h3>
      <p className={styles["origin"]}>
        For the Secret that api.secretName names, with the names of your store
        {secret_file ? "; the store has the client secret alone." : "."}
      </p>
      <Block label="External Secret" text={external_secret} />
    </>
  );
}
