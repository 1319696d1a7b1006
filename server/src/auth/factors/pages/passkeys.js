// Passkeys on the pages of the server. A form with `data-passkey` gets what the authenticator answers into its field `credential`, and is
// sent as any other form. Without this script, or in a browser without passkeys, these forms stay hidden.

const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const withBytes = (list = []) => list.map((each) => ({ ...each, id: bytesOf(each.id) }));

/** What the authenticator is asked. The server makes a new challenge for each time. */
async function askServer(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.options, { method: "POST", body });
  const options = await answer.json();
  if (!answer.ok) throw new Error(options.error);
  return { ...options, challenge: bytesOf(options.challenge) };
}

/** The credential as JSON. `toJSON` is not in every browser that has passkeys. */
function written({ id, rawId, type, response }) {
  const { clientDataJSON, authenticatorData, signature, userHandle, attestationObject } = response;
  const parts = { clientDataJSON, authenticatorData, signature, userHandle, attestationObject };
  const texts = Object.entries(parts).flatMap(([name, part]) => (part ? [[name, textOf(part)]] : []));
  // Of an assertion the data of the authenticator is signed; of a new passkey it is in the object.
  const isNew = attestationObject !== undefined;
  return JSON.stringify({
    id,
    rawId: textOf(rawId),
    type,
    clientExtensionResults: {},
    response: {
      ...Object.fromEntries(texts),
      ...(isNew ? { transports: response.getTransports?.() ?? [] } : {}),
    },
  });
}

function send(form, credential) {
  form.elements.credential.value = written(credential);
  form.submit();
}

const REASONS = {
  NotAllowedError: "No passkey was used. Try again, or sign in another way.",
  InvalidStateError: "This device has a passkey for the account already.",
  SecurityError: "Passkeys work only at the server's own address.",
};

function say(form, error) {
  const place = form.querySelector("[role=alert]");
  place.textContent = REASONS[error.name] ?? error.message;
  place.hidden = false;
}

/** Calls off the question that waits in the field of the user name: there is one at a time. */
let waiting = new AbortController();
let isPressed = false;

const asks = {
  async create(form) {
    const options = await askServer(form);
    const publicKey = {
      ...options,
      user: { ...options.user, id: bytesOf(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    };
    return navigator.credentials.create({ publicKey });
  },

  async get(form) {
    const publicKey = await askServer(form);
    waiting.abort();
    return navigator.credentials.get({ publicKey });
  },
};

function listen(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    isPressed = true;
    form.querySelector("[role=alert]").hidden = true;
    asks[form.dataset.passkey](form).then(
      (credential) => send(form, credential),
      (error) => say(form, error),
    );
  });
}

/** Passkeys among what the browser offers to fill in. A challenge is renewed before it has expired; nobody is told of a failure. */
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  for (;;) {
    const options = await askServer(form);
    if (isPressed) return;
    waiting = new AbortController();
    const isOld = AbortSignal.timeout(options.timeout * 0.9);
    const signal = AbortSignal.any([waiting.signal, isOld]);
    try {
      return send(form, await navigator.credentials.get({ mediation: "conditional", signal, publicKey: options }));
    } catch {
      if (waiting.signal.aborted || !isOld.aborted) return;
    }
  }
}

if (globalThis.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) listen(form);
  const signIn = document.querySelector("form[data-passkey=get]");
  if (signIn) offer(signIn).catch(() => {});
}
