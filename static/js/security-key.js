// Security keys and passkeys: <button type="button" data-security-key="create|get|login"> in a form with a hidden
// `credential`. The options stand in #js_data; for "login" they are asked of the form's own address, when they are wanted.
// Needs webauthn-json, which comes with django-allauth.
(() => {
  "use strict";
  const failed = document.querySelector("[data-security-key-failed]");
  const loginForm = document.querySelector("[data-passkey-form]");
  let offered = null; // the passkeys that the address field offers wait here, until a button asks

  async function optionsOf(form) {
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    return (await response.json()).request_options;
  }

  async function ask(kind, form) {
    if (kind === "login") {
      offered?.abort();
      return window.webauthnJSON.get(await optionsOf(form));
    }
    const data = JSON.parse(document.getElementById("js_data").textContent);
    if (kind === "get") return window.webauthnJSON.get(data.request_options);
    const options = data.creation_options;
    const box = form.elements.passwordless;
    const wanted = options.publicKey.authenticatorSelection;
    wanted.residentKey = box?.checked ? "required" : "discouraged";
    wanted.requireResidentKey = Boolean(box?.checked);
    if (box?.checked) wanted.userVerification = "required";
    return window.webauthnJSON.create(options);
  }

  function send(form, credential) {
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  }

  document.body.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-security-key]");
    if (!button) return;
    event.preventDefault();
    if (failed) failed.hidden = true;
    try {
      send(button.form, await ask(button.dataset.securityKey, button.form));
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
      const options = await optionsOf(loginForm);
      send(loginForm, await window.webauthnJSON.get({ ...options, mediation: "conditional", signal: offered.signal }));
    } catch {
      // Not taken: nothing to tell.
    }
  }, { once: true });
})();
