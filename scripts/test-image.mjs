/**
 * `npm run test:image`: builds the images of Parley as deploy/Dockerfile and deploy/web/Dockerfile say, and sees them run: as
 * nobody, with a read-only root and without any capability, answering their probes. It takes buildah, podman and runc, and root;
 * on Debian and Ubuntu they are installed. Without them its tests count as skipped, and their reason is in the last lines.
 *
 * The bases come from their registry with BUILD_FROM=registry. Otherwise they are made here, of Debian's packages (mmdebstrap)
 * and the Node that runs the tests, so that the build can be tried where no registry of images is reached.
 */
import { buildImages, missingImageTools } from "./lib/images.mjs";
import { inRepo } from "./lib/paths.mjs";
import { report } from "./lib/results.mjs";
import { setUp } from "./lib/setup.mjs";
import { runProgram } from "./lib/step.mjs";
import { bringImageTools } from "./lib/system-packages.mjs";
import { runTestFiles } from "./lib/test-files.mjs";

await runProgram(async () => {
  await bringImageTools();
  const runtime = await setUp({ web: false });
  if (missingImageTools() === undefined) await buildImages(runtime);
  const results = await runTestFiles(runtime, [inRepo("deploy", "image", "built-image.ts")]);
  console.log(report(results));
  return results.failures.length > 0 ? 1 : 0;
});
