// Goes on by itself where the page waits for what somebody does elsewhere: it is asked for again and again, and loaded once it is another.

const EVERY_MS = 3_000;
// The page that waits has it, and no other.
const MARK = "data-waits";

async function look() {
  const answer = await fetch(location.href, { cache: "no-store" });
  const isFleeting = answer.status === 429 || answer.status >= 500;
  if (!isFleeting && !(await answer.text()).includes(MARK)) location.reload();
}

async function wait() {
  // Without a network it waits on.
  await look().catch(() => undefined);
  setTimeout(wait, EVERY_MS);
}

setTimeout(wait, EVERY_MS);
// Whoever comes back from the mail need not wait for the next time.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look().catch(() => undefined);
});
