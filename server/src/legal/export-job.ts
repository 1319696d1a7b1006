/** What is exported under legal access: all that the server has of a person, or of a room. Gathered by person/export-job.ts. */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { sectionsOfRoom } from "../messages/for-legal.ts";
import { type Gathering, gatherStep, sectionsOf } from "../person/export-job.ts";
import type { Job, Step } from "../worker/job.ts";
import { type LegalAccess, readAccess } from "./access.ts";

const parameters = z.object({ accessId: z.int() });

/** Stops where the access is over meanwhile. */
export async function legalExportStep(ctx: Context, job: Job): Promise<Step> {
  const { accessId } = parameters.parse(job.parameters);
  const access = await readAccess(ctx, accessId);
  if (!access?.in_force) throw matrixError("M_FORBIDDEN", "The legal access that this was for is over.");
  return gatherStep(ctx, job, gatheringOf(access));
}

function gatheringOf({ access_id, case_reference, holder, room_id, user_id }: LegalAccess): Gathering {
  const told = { legal_access: access_id, case_reference, holder };
  return room_id !== null
    ? { sections: sectionsOfRoom(room_id), told: { ...told, room_id } }
    : { sections: sectionsOf(user_id as string), told: { ...told, user_id: user_id as string } };
}
