// Security keys and passkeys: <button type="button" data-security-key="create|get|login"> in a form with a hidden
// `credential`. The options stand in #js_data; for "login" they are asked of the form's own address, when they are wanted,
// and the `challenge` that comes with them goes back with the credential.
// Needs webauthn-json, which comes with django-allauth.
(() => {
  "use strict";
  const failed = document.querySelector("[data-security-key-failed]");
  const loginForm = document.querySelector("[data-passkey-form]");
  let offered = null; // the passkeys that the address field offers wait here, until a button asks

  async function optionsOf(form) {
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  }

  function send(form, credential) {
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  }

  async function signIn(form, how) {
    const { request_options: options, challenge } = await optionsOf(form);
    const credential = await window.webauthnJSON.get({ ...options, ...how });
    form.elements.challenge.value = challenge;
    send(form, credential);
  }

  async function ask(kind, form) {
    const data = JSON.parse(document.getElementById("js_data").textContent);
    if (kind === "get") return send(form, await window.webauthnJSON.get(data.request_options));
    const options = data.creation_options;
    const box = form.elements.passwordless;
    const wanted = options.publicKey.authenticatorSelection;
    wanted.residentKey = box?.checked ? "required" : "discouraged";
    wanted.requireResidentKey = Boolean(box?.checked);
    if (box?.checked) wanted.userVerification = "required";
    return send(form, await window.webauthnJSON.create(options));
  }

  document.body.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-security-key]");
    if (!button) return;
    event.preventDefault();
    if (failed) failed.hidden = true;
    try {
      const { form, dataset: { securityKey: kind } } = button;
      if (kind === "login") offered?.abort();
      await (kind === "login" ? signIn(form) : ask(kind, form));
    } catch {
      if (failed) failed.hidden = false;
    }
  });

  if (!loginForm || !window.PublicKeyCredential) return;
  loginForm.hidden = false;

  // The address field offers the passkeys of this site among its suggestions, once somebody goes there.
  const address = document.querySelector('input[autocomplete~="webauthn"]');
  address?.addEventListener("focus", async () => {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    try {
      offered = new AbortController();
      await signIn(loginForm, { mediation: "conditional", signal: offered.signal });
    } catch {
      // Not taken: nothing to tell.
    }
  }, { once: true });
})();
