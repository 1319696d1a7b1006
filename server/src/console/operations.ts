/** Every operation, in the order of the reference. Each domain exports its own. */
import type { Operation } from "./operation.ts";
import { appserviceOperations } from "../appservice/operations.ts";
import { explorerOperations } from "../explorer/operations.ts";
import { graphOperations } from "../graph/operations.ts";
import { operations as registration } from "../auth/operations-registration.ts";
import { wayOperations } from "../auth/operations-ways.ts";
import { providerOperations } from "../auth/sso/operations.ts";
import { billingOperations } from "../billing/operations.ts";
import { operations as bots } from "../bots/operations.ts";
import { operations as insight } from "../insight/operations.ts";
import { operations as system } from "../system/operations.ts";
import { reportOperations } from "../directory/operations.ts";
import { importLogOperations } from "../imports/operations-log.ts";
import { importOperations } from "../imports/operations.ts";
import { mediaOperations } from "../media/operations.ts";
import { legalOperations } from "../legal/operations.ts";
import { pusherOperations } from "../push/operations.ts";
import { holdOperations } from "../retention/operations-holds.ts";
import { retentionOperations } from "../retention/operations.ts";
import { roomActs } from "../rooms/operations-acts.ts";
import { roomEndingOperations } from "../rooms/operations-ending.ts";
import { noticeOperations } from "../rooms/operations-notices.ts";
import { transferOperations } from "../rooms/operations-transfer.ts";
import { roomOperations } from "../rooms/operations.ts";
import { scimOperations } from "../scim/operations.ts";
import { searchOperations } from "../search/operations.ts";
import { personOperations } from "../person/operations.ts";
import { jobOperations } from "../worker/operations.ts";
import { auditOperations } from "./audit/operations.ts";
import { userActs } from "./users/acts.ts";
import { deviceOperations } from "./users/devices.ts";
import { userQuestions } from "./users/questions.ts";
import { roleOperations } from "./users/roles.ts";

export const operations: readonly Operation[] = [
  ...explorerOperations,
  ...userQuestions,
  ...userActs,
  ...roleOperations,
  ...transferOperations,
  ...personOperations,
  ...deviceOperations,
  ...auditOperations,
  ...roomOperations,
  ...roomActs,
  ...roomEndingOperations,
  ...noticeOperations,
  ...mediaOperations,
  ...reportOperations,
  ...retentionOperations,
  ...holdOperations,
  ...legalOperations,
  ...importOperations,
  ...importLogOperations,
  ...jobOperations,
  ...insight,
  ...registration,
  ...wayOperations,
  ...providerOperations,
  ...scimOperations,
  ...bots,
  ...appserviceOperations,
  ...pusherOperations,
  ...system,
  ...graphOperations,
  ...searchOperations,
  ...billingOperations,
];
