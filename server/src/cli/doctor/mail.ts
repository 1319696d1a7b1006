/** The mail server: whether it can be reached and lets the settings' user in. No mail is sent. */
import { transportFor } from "../../auth/email/mailer.ts";
import { asError } from "../../errors.ts";
import type { Check } from "./finding.ts";

export const mail: Check = {
  name: "mail",
  async look({ config }) {
    if (!config.mail) return [{ check: "mail", state: "ok", says: "No mail server is set, and no mails are sent." }];
    const transport = await transportFor(config.mail);
    try {
      await transport.verify();
      return [{ check: "mail", state: "ok", says: "The mail server can be reached, and takes mails." }];
    } catch (thrown) {
      const says = `The mail server can not be used: ${(thrown as { code?: string }).code ?? asError(thrown).name}.`;
      const fix = "Check that this machine may reach it, and its address, user and password in SMTP_URL.";
      return [{ check: "mail", state: "failure", says, fix }];
    } finally {
      transport.close();
    }
  },
};
