/** Billing: what the payment provider sends. What operators ask and do is in operations.ts. */
import { webhook } from "./webhook.ts";

export const routes = [webhook];
