// Makes and proves passkeys. Everything else of the console works without scripts.
"use strict";

const octets = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function send(path, said) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(said),
  });
  const told = await answer.json();
  if (!answer.ok) {
    throw new Error([told.found, told.wanted && `wanted ${told.wanted}`].filter(Boolean).join(", ") + `. ${told.to_do}`);
  }
  return told;
}

function asked(options) {
  const those = (list) => (list || []).map((one) => ({ ...one, id: octets(one.id) }));
  const made = { ...options, challenge: octets(options.challenge) };
  if (options.user) made.user = { ...options.user, id: octets(options.user.id) };
  if (options.excludeCredentials) made.excludeCredentials = those(options.excludeCredentials);
  if (options.allowCredentials) made.allowCredentials = those(options.allowCredentials);
  return { publicKey: made };
}

function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

async function passkey(form) {
  const said = Object.fromEntries(new FormData(form));
  const options = asked(await send(`${form.dataset.path}/ask`, said));
  const credential = options.publicKey.user
    ? await navigator.credentials.create(options)
    : await navigator.credentials.get(options);
  const { to } = await send(form.dataset.path, { ...said, credential: told(credential) });
  window.location.assign(to);
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[role=status]");
  if (!window.PublicKeyCredential) {
    status.textContent = "This browser has no passkeys, or the address is not a secure one.";
    continue;
  }
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    status.textContent = "Waiting for your passkey…";
    try {
      await passkey(form);
    } catch (error) {
      status.textContent = error.name === "NotAllowedError" ? "No passkey was used. Try again." : error.message;
      button.disabled = false;
    }
  });
}
