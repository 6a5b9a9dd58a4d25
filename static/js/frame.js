// The frame's few behaviours. Everything listens on body, so that swapped content needs no set-up.
(() => {
  "use strict";
  const body = document.body;
  const words = document.getElementById("frame-words")?.dataset ?? {};

  // Toasts: toast("Saved."), or from the server: HX-Trigger: {"toast": "Saved."}
  function toast(text) {
    const region = document.querySelector("[data-toasts]");
    const template = document.getElementById("toast-template");
    if (!region || !template || !text) return;
    const node = template.content.firstElementChild.cloneNode(true);
    node.querySelector("[data-words]").textContent = text;
    region.replaceChildren(node);
  }
  body.addEventListener("toast", (event) => toast(event.detail?.value ?? event.detail));
  body.addEventListener("click", (event) => {
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast, .notice").remove();
  });

  // Menus close by a click elsewhere, and by Escape, which gives the focus back.
  body.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  body.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // Dialogs: <button data-open="id">, closed by a form with method="dialog".
  body.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    const dialog = opener && document.getElementById(opener.dataset.open);
    if (dialog?.showModal) { event.preventDefault(); dialog.showModal(); }
  });

  // What is to be fixed takes the focus, on load and after a swap; its links go to the control itself.
  function greet(root) {
    const summary = root.querySelector("[data-take-focus]");
    if (summary) {
      summary.focus();
      if (words.error && !document.title.startsWith(words.error)) document.title = `${words.error} ${document.title}`;
    }
    for (const field of root.querySelectorAll("[data-guess-time-zone]")) guessTimeZone(field);
    for (const node of root.querySelectorAll("[data-needs-script]")) node.hidden = false;
    for (const node of root.querySelectorAll("[data-no-script-only]")) {
      node.hidden = true;
      // Hidden, it would still be what Enter in a field of its form presses; so Enter does nothing there.
      for (const button of node.matches("button") ? [node] : node.querySelectorAll("button")) button.disabled = true;
    }
  }
  body.addEventListener("click", (event) => {
    const link = event.target.closest(".error-summary a[href^='#']");
    const control = link && document.getElementById(link.hash.slice(1));
    if (!control) return;
    event.preventDefault();
    control.scrollIntoView({ block: "center" });
    control.focus();
  });

  // The device knows its time zone; the person may choose another.
  function guessTimeZone(field) {
    if (field.value && field.value !== "UTC") return;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone) return;
    if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === zone)) field.value = zone;
  }

  // A form that is on its way is not sent twice. The page kept by the Back button gets its buttons again.
  body.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // htmx: what went wrong is said, never swallowed.
  body.addEventListener("htmx:responseError", (event) => toast(event.detail.xhr.status === 429 ? words.busy : words.failed));
  body.addEventListener("htmx:sendError", () => toast(words.failed));
  body.addEventListener("htmx:timeout", () => toast(words.failed));
  body.addEventListener("htmx:afterSettle", (event) => greet(event.detail.elt.parentElement ?? body));

  // The bell of a page that stays open: asked now and then while somebody can see it, and told to those who listen.
  const EVERY = 60_000;
  let asked = Date.now(), asks = true;
  async function ring() {
    const bell = document.querySelector("[data-bell]");
    if (!bell || !asks || document.hidden || Date.now() - asked < EVERY - 1000) return;
    asked = Date.now();
    let answer;
    try {
      answer = await fetch(`${bell.dataset.bell}?shown=${bell.dataset.shown}`, { redirect: "manual" });
    } catch { return; }
    if (answer.status === 204 || answer.status >= 500) return;
    if (answer.status !== 200) { asks = false; return; }  // signed out meanwhile
    const { count, figure, label, said } = await answer.json();
    bell.dataset.shown = count;
    bell.setAttribute("aria-label", label);
    const mark = bell.querySelector(".count");
    mark.textContent = figure;
    mark.hidden = !count;
    document.querySelector("[data-bell-said]").textContent = said;
  }
  setInterval(ring, EVERY);
  document.addEventListener("visibilitychange", ring);

  greet(document);
})();
