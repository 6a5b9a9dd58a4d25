// Security keys and passkeys: <button type="button" data-security-key="create|get"> in a form with a hidden `credential`;
// the options stand in #js_data. Needs webauthn-json, which comes with django-allauth.
(() => {
  "use strict";
  async function ask(kind, form) {
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

  document.body.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-security-key]");
    if (!button) return;
    event.preventDefault();
    const failed = document.querySelector("[data-security-key-failed]");
    if (failed) failed.hidden = true;
    try {
      button.form.elements.credential.value = JSON.stringify(await ask(button.dataset.securityKey, button.form));
      button.form.submit();
    } catch {
      if (failed) failed.hidden = false;
    }
  });
})();
