// Signs in on behalf of the application that opened this page, and hands it the answer: `window.matrixLogin.onLogin(response)`.

const LOGIN = "/_matrix/client/v3/login";
// The application puts its function there, before or after this runs.
window.matrixLogin ??= {};

const [form, problem, link] = ["form", ".problem", "a.button"].map((selector) => document.querySelector(selector));
const query = new URLSearchParams(location.search);
const loginToken = query.get("loginToken");
query.delete("loginToken");
const isTrue = (name) => query.get(name) === "true";

const here = new URL(location.pathname, location.href);
here.search = query;
// A token is good once: who loads the page anew is not to send it again.
history.replaceState(null, "", here);

/** What the application said of the device, as `POST /login` takes it. */
const device = Object.fromEntries(
  ["device_id", "initial_device_display_name"].flatMap((name) => (query.has(name) ? [[name, query.get(name)]] : [])),
);
if (isTrue("refresh_token")) device.refresh_token = true;

function say(text) {
  problem.textContent = text;
  problem.hidden = text === "";
}

async function ask(options) {
  const answer = await fetch(LOGIN, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

async function signIn(proof) {
  say("");
  try {
    const response = await ask({ method: "POST", body: JSON.stringify({ ...device, ...proof }) });
    form.hidden = true;
    link.parentElement.hidden = true;
    window.matrixLogin.onLogin?.(response);
  } catch (error) {
    say(error.message);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const user = form.elements.user.value.trim();
  const identifier = user.includes("@", 1)
    ? { type: "m.id.thirdparty", medium: "email", address: user }
    : { type: "m.id.user", user };
  void signIn({ type: "m.login.password", identifier, password: form.elements.password.value });
});

async function showFlows() {
  const types = (await ask({})).flows.map(({ type }) => type);
  form.hidden = !types.includes("m.login.password");
  link.parentElement.hidden = !types.includes("m.login.sso");
  link.href = `${LOGIN}/sso/redirect?${new URLSearchParams({ redirectUrl: here.href })}`;
}

try {
  await showFlows();
  if (loginToken !== null) await signIn({ type: "m.login.token", token: loginToken });
} catch (error) {
  say(error.message);
}
