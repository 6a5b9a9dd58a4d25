// The composer: a plain textarea that learns formatting, preview and tag suggestions. Everything listens on body.
(() => {
  "use strict";
  const body = document.body;
  const WAIT = 700; // ms after the last key, before the preview is asked for

  function composerOf(node) {
    const box = node.closest?.("[data-composer]");
    return box && { box, text: box.querySelector("textarea"), preview: box.querySelector("[data-preview]") };
  }

  // Formatting. execCommand keeps the browser's own undo; setRangeText is for where it is gone.
  function put(text, words, from, to) {
    text.focus();
    text.setSelectionRange(from, to);
    if (!document.execCommand?.("insertText", false, words)) text.setRangeText(words, from, to, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function wrap(text, mark) {
    const { selectionStart: from, selectionEnd: to, value } = text;
    const chosen = value.slice(from, to);
    if (value.slice(from - mark.length, from) === mark && value.slice(to, to + mark.length) === mark) {
      put(text, chosen, from - mark.length, to + mark.length); // a second press takes it away
      text.setSelectionRange(from - mark.length, to - mark.length);
      return;
    }
    put(text, mark + chosen + mark, from, to);
    text.setSelectionRange(from + mark.length, to + mark.length);
  }
  function prefix(text, mark) {
    const { value } = text;
    const from = value.lastIndexOf("\n", text.selectionStart - 1) + 1;
    const end = value.indexOf("\n", text.selectionEnd);
    const to = end < 0 ? value.length : end;
    const lines = value.slice(from, to).split("\n");
    const has = lines.every((line) => line.startsWith(mark));
    const made = lines.map((line) => (has ? line.slice(mark.length) : mark + line)).join("\n");
    put(text, made, from, to);
  }
  function link(text) {
    const { selectionStart: from, selectionEnd: to, value } = text;
    const chosen = value.slice(from, to);
    const address = /^(https?:\/\/|mailto:)\S+$/.test(chosen);
    const made = address ? `[](${chosen})` : `[${chosen}](https://)`;
    put(text, made, from, to);
    if (address) text.setSelectionRange(from + 1, from + 1);
    else text.setSelectionRange(from + made.length - 9, from + made.length - 1);
  }
  function format(button) {
    const composer = composerOf(button);
    if (!composer) return;
    if (button.dataset.wrap) wrap(composer.text, button.dataset.wrap);
    else if (button.dataset.prefix) prefix(composer.text, button.dataset.prefix);
    else link(composer.text);
  }
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-composer] :is([data-wrap], [data-prefix], [data-link])");
    if (button) format(button);
  });
  body.addEventListener("keydown", (event) => {
    const text = event.target.closest?.("[data-composer] textarea");
    if (!text || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const mark = { b: "**", i: "*" }[event.key.toLowerCase()];
    if (mark) { event.preventDefault(); wrap(text, mark); }
  });

  // Preview: the server renders, so that it looks as it will look. Asked for when the view changes, and while writing.
  const asked = new WeakMap();
  function show({ box, text, preview }) {
    if (asked.get(box) === text.value) return;
    asked.set(box, text.value);
    htmx.ajax("POST", box.dataset.previewUrl, { source: text, target: preview, swap: "innerHTML", values: { text: text.value } })
      .catch(() => asked.delete(box));
  }
  body.addEventListener("change", (event) => {
    const composer = event.target.closest("[data-composer] .switch") && composerOf(event.target);
    if (!composer) return;
    composer.preview.setAttribute("aria-live", event.target.value === "preview" ? "polite" : "off");
    if (event.target.value === "preview") show(composer);
    else composer.text.focus();
  });
  let timer;
  body.addEventListener("input", (event) => {
    const composer = event.target.matches?.("[data-composer] textarea") && composerOf(event.target);
    if (!composer) return;
    composer.preview.setAttribute("aria-live", "off"); // what is being typed is not read out again
    composer.box.dataset.live = composer.text.value.trim() ? "yes" : "";
    clearTimeout(timer);
    timer = setTimeout(() => composer.text.value.trim() && show(composer), WAIT);
  });

  // Tags: words of the vocabulary that go on from what is being typed.
  function offer(field) {
    const input = field.querySelector("input");
    const list = field.querySelector("[data-tag-offers]");
    const typed = input.value.split(/[,;]/);
    const begun = typed.pop().trim().toLowerCase();
    const taken = new Set(typed.map((word) => word.trim().toLowerCase()));
    const words = [...field.querySelectorAll("[data-tag-words] option")].map((option) => option.value);
    const found = begun.length < 2 ? [] : words.filter((word) => word.toLowerCase().includes(begun) && !taken.has(word.toLowerCase())).slice(0, 6);
    list.replaceChildren(...found.map((word) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "tag";
      button.textContent = word;
      button.setAttribute("aria-label", `${list.dataset.label} ${word}`);
      item.append(button);
      return item;
    }));
  }
  body.addEventListener("input", (event) => {
    const field = event.target.closest("[data-tag-field]");
    if (field) offer(field);
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tag-offers] button");
    if (!button) return;
    const field = button.closest("[data-tag-field]");
    const input = field.querySelector("input");
    input.value = [...input.value.split(/[,;]/).slice(0, -1).map((word) => word.trim()), button.textContent].join(", ") + ", ";
    offer(field);
    input.focus();
  });
})();
