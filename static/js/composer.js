// The composer: a plain textarea that learns formatting, preview, drafts, uploads, quoting and suggestions.
// Everything listens on body.
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
    const words = [...field.querySelectorAll("[data-tag-words] option")];
    const fits = (option) => `${option.value}, ${option.label}`.toLowerCase().includes(begun) && !taken.has(option.value.toLowerCase());
    const found = begun.length < 2 ? [] : words.filter(fits).slice(0, 6).map((option) => option.value);
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
  for (const input of document.querySelectorAll("[data-tag-field] input")) input.removeAttribute("list"); // ours knows commas
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

  // What the server says of a text, for everybody to see and hear.
  const say = (box, words, link) => {
    const line = box.querySelector("[data-draft-status]");
    if (!line) return;
    line.textContent = words ?? "";
    if (link) { const a = document.createElement("a"); a.href = link; a.textContent = words; line.replaceChildren(a); }
  };
  const token = (box) => box.closest("form")?.elements.csrfmiddlewaretoken?.value ?? "";

  // Drafts: saved while somebody types; where the server cannot be reached, this browser keeps the text.
  const SAVE_AFTER = 2000;
  const SKIP = new Set(["csrfmiddlewaretoken", "file", "alt", "view", "draft_tab", "draft_revision", "seen"]);
  const TAB = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const states = new WeakMap();
  const boxes = () => document.querySelectorAll("[data-draft]");
  const placeOf = (box) => `draft:${box.dataset.member}:${box.dataset.draft}`;
  const fieldsOf = (form) => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !SKIP.has(name) && !name.endsWith("-view"));
  const texts = (fields) => JSON.stringify(fields.filter(([name]) => name !== "submit_key"));
  const stateOf = (box) => {
    if (!states.has(box)) states.set(box, { saved: texts(fieldsOf(box.closest("form"))) });
    return states.get(box);
  };
  function keepHere(box, fields) {
    try { localStorage.setItem(placeOf(box), JSON.stringify({ fields, at: Date.now(), tab: TAB })); } catch { /* full, or forbidden */ }
  }
  function forgetHere(box) {
    try { localStorage.removeItem(placeOf(box)); } catch { /* forbidden */ }
  }
  async function send(box, fields, tab, revision, leaving) {
    const data = new FormData();
    for (const [name, value] of fields) data.append(name, value);
    data.set("csrfmiddlewaretoken", token(box));
    data.set("key", box.dataset.draft);
    data.set("draft_tab", tab);
    data.set("draft_revision", revision);
    const answer = await fetch(box.dataset.draftUrl, { method: "POST", body: data, keepalive: leaving, redirect: "manual" });
    const told = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    return { status: answer.status, told };
  }
  async function save(box, leaving = false) {
    const form = box.closest("form"), state = stateOf(box);
    if (!form || form.dataset.sent) return;
    const fields = fieldsOf(form), now = texts(fields);
    if (now === state.saved || (state.busy && !leaving)) return;
    state.busy = true;
    if (leaving) keepHere(box, fields);
    try {
      const { status, told } = await send(box, fields, TAB, form.elements.draft_revision.value, leaving);
      if (status === 200 || status === 409 || status === 422) say(box, told.words);
      if (status === 200 || status === 409) {
        state.saved = now;
        if (told.revision) form.elements.draft_revision.value = told.revision;
        forgetHere(box);
      } else {
        keepHere(box, fields);
        if (status !== 422) say(box, status === 401 ? box.dataset.signedOut : box.dataset.unsaved);
      }
    } catch {
      keepHere(box, fields);
      say(box, box.dataset.unsaved);
    } finally {
      state.busy = false;
      if (!leaving && texts(fieldsOf(form)) !== state.saved) later(box);
    }
  }
  function later(box) {
    const state = stateOf(box);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => save(box), SAVE_AFTER);
  }
  async function recover(box) {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(placeOf(box))); } catch { /* forbidden, or not ours */ }
    if (!kept) return;
    const form = box.closest("form"), state = stateOf(box);
    const { status, told } = await send(box, kept.fields, kept.tab, "", false);
    if (status !== 200 && status !== 409) return;
    forgetHere(box);
    if (status !== 200 || !told.revision) return; // it was sent already, or stands beside a newer draft
    const text = box.querySelector("textarea");
    if (text.value.trim()) return;
    for (const [name, value] of kept.fields) {
      const field = form.elements[name];
      if (field?.type === "checkbox") field.checked = true; // one that is not ticked is not kept
      else if (field && name !== "submit_key" && "value" in field) field.value = value;
    }
    form.elements.draft_revision.value = told.revision;
    form.elements.draft_tab.value = TAB;
    state.saved = texts(fieldsOf(form));
    say(box, box.dataset.recovered);
  }
  for (const box of boxes()) {
    stateOf(box);
    box.closest("form").elements.draft_tab.value = TAB;
    recover(box).catch(() => {});
  }
  const boxIn = (node) => node.closest?.("form")?.querySelector("[data-draft]");
  for (const kind of ["input", "change"]) {
    body.addEventListener(kind, (event) => { const box = boxIn(event.target); if (box) later(box); });
  }
  body.addEventListener("submit", (event) => {
    const box = boxIn(event.target);
    if (!box || event.submitter?.value === "draft") return;
    clearTimeout(stateOf(box).timer);
    keepHere(box, fieldsOf(event.target)); // should the page not arrive; once it has, the next visit lets it go
  });
  const leave = () => { for (const box of boxes()) save(box, true); };
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  window.addEventListener("pagehide", leave);
  window.addEventListener("online", () => boxes().forEach((box) => save(box)));

  // Replies by others, while somebody writes.
  setInterval(async () => {
    for (const box of document.querySelectorAll("[data-since-url]")) {
      const seen = box.closest("form").elements.seen?.value;
      if (document.hidden || !seen || !box.querySelector("textarea").value.trim()) continue;
      const answer = await fetch(`${box.dataset.sinceUrl}?n=${seen}`, { redirect: "manual" }).catch(() => null);
      if (answer?.status === 200) { const told = await answer.json(); say(box, told.words, told.url); }
    }
  }, 45000);

  // Pictures and files: chosen, dropped or pasted.
  async function upload(box, file) {
    const text = box.querySelector("textarea"), data = new FormData();
    data.set("file", file);
    data.set("csrfmiddlewaretoken", token(box));
    say(box, box.dataset.uploading);
    try {
      const answer = await fetch(box.dataset.uploadUrl, { method: "POST", body: data, redirect: "manual" });
      const told = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
      if (!told.markdown) { say(box, told.words ?? box.dataset.uploadFailed); return; }
      const at = text.selectionEnd;
      put(text, `${at && text.value[at - 1] !== "\n" ? "\n\n" : ""}${told.markdown}\n`, at, at);
      const words = told.markdown.indexOf("]") - 2, from = text.value.indexOf(told.markdown, at) + 2;
      if (told.markdown.startsWith("!")) text.setSelectionRange(from, from + words); // what it shows is to be said
      say(box, "");
    } catch { say(box, box.dataset.uploadFailed); }
  }
  const uploadBox = (node) => node.closest?.("[data-upload-url]");
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-upload]");
    if (button) uploadBox(button).querySelector("input[type=file]").click();
  });
  body.addEventListener("change", async (event) => {
    const box = event.target.matches("input[type=file]") && uploadBox(event.target);
    if (!box || !event.target.files.length) return;
    const files = [...event.target.files];
    event.target.value = "";
    for (const file of files) await upload(box, file);
  });
  for (const [kind, key] of [["drop", "dataTransfer"], ["paste", "clipboardData"]]) {
    body.addEventListener(kind, async (event) => {
      const box = event.target.matches?.("textarea") && uploadBox(event.target);
      const files = [...(event[key]?.files ?? [])];
      if (!box || !files.length) return;
      event.preventDefault();
      for (const file of files) await upload(box, file);
    });
  }

  // @people and #things: a list below the text; arrow keys choose, Enter or Tab takes, Escape closes. Where names stand one
  // on a line ([data-names]) the whole line is asked for, and nothing is taken that was not chosen: most names are nobody here.
  const ASKED = /(?:^|[\s(])([@#])([\p{L}\p{N}][\p{L}\p{N}\p{M} '’-]{0,40})$/u;
  let offering = null;
  function close() {
    if (!offering) return;
    offering.list.remove();
    for (const name of ["aria-activedescendant", "aria-controls", "aria-autocomplete"]) offering.text.removeAttribute(name);
    offering = null;
  }
  function mark(place) {
    const items = [...offering.list.children];
    offering.place = (Math.max(place, -1) + items.length) % items.length;
    items.forEach((item, number) => item.setAttribute("aria-selected", number === offering.place));
    items[offering.place].scrollIntoView({ block: "nearest" });
    offering.text.setAttribute("aria-activedescendant", items[offering.place].id);
  }
  function take() {
    const { text, from, options, place, byName } = offering;
    close();
    const words = byName ? options[place].text.trim() : options[place].text;
    const cited = byName ? inLine(text)?.cited ?? "" : "";
    // A name as it is cited ("May, Andrée") stays as it was written, and the handle stands behind it.
    put(text, cited.includes(",") ? `${cited} (${words})` : words, from, text.selectionEnd);
    clearTimeout(asking); // what was taken asks for nothing
  }
  function inText(text) {
    const found = ASKED.exec(text.value.slice(Math.max(0, text.selectionEnd - 60), text.selectionEnd));
    if (!found || (found[1] === "@" ? / .* /.test(found[2]) : found[2].length < 2)) return null;
    return { kind: found[1] === "@" ? "people" : "things", words: found[2], from: text.selectionEnd - found[2].length - 1 };
  }
  function inLine(text) {
    const from = text.value.lastIndexOf("\n", text.selectionEnd - 1) + 1;
    const [line, name, handle] = /^(.*?)\s*(?:\(?@([\w-]*))?$/u.exec(text.value.slice(from, text.selectionEnd));
    const words = handle ?? name.trim();
    const atEnd = /^[^\S\n]*(\n|$)/.test(text.value.slice(text.selectionEnd));
    return atEnd && line.length < 60 && words.length > 1 && !name.includes("@") ? { kind: "creators", words, from, cited: name.trim() } : null;
  }
  async function suggest(box, text) {
    const byName = box.hasAttribute("data-names");
    const found = text.selectionStart === text.selectionEnd && (byName ? inLine : inText)(text);
    if (!found) { close(); return; }
    const caret = text.selectionEnd;
    const answer = await fetch(`${box.dataset.completeUrl}?kind=${found.kind}&q=${encodeURIComponent(found.words)}`, { redirect: "manual" }).catch(() => null);
    if (answer?.status !== 200 || text.selectionEnd !== caret) return;
    const { options } = await answer.json();
    close();
    if (!options.length) return;
    const list = document.createElement("ul");
    list.className = "offers";
    list.id = "composer-offers";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", box.dataset.offers);
    list.append(...options.map((option, number) => {
      const item = document.createElement("li");
      item.id = `composer-offer-${number}`;
      item.setAttribute("role", "option");
      const more = document.createElement("span");
      more.className = "meta";
      more.textContent = ` ${option.more}`;
      item.append(option.label, more);
      return item;
    }));
    box.querySelector("[data-offers-here]").append(list);
    text.setAttribute("aria-controls", list.id);
    text.setAttribute("aria-autocomplete", "list");
    offering = { box, text, list, options, from: found.from, byName, place: -1 };
    if (!byName) mark(0);
    say(box, box.dataset.offered);
  }
  let asking;
  body.addEventListener("input", (event) => {
    const box = event.target.matches?.("textarea") && event.target.closest("[data-complete-url]");
    if (!box) return;
    if (offering?.byName && inLine(event.target)?.from !== offering.from) close(); // another line was begun
    clearTimeout(asking);
    asking = setTimeout(() => suggest(box, event.target), 200);
  });
  body.addEventListener("keydown", (event) => {
    if (!offering || event.target !== offering.text || event.isComposing) return;
    const chosen = offering.place >= 0 && take;
    const act = {
      ArrowDown: () => mark(offering.place + 1), ArrowUp: () => mark(offering.place - 1), Enter: chosen, Tab: chosen, Escape: close,
    }[event.key];
    if (act) { event.preventDefault(); event.stopPropagation(); act(); }
  }, true);
  body.addEventListener("mousedown", (event) => {
    const item = event.target.closest(".offers [role=option]");
    if (item && offering) { event.preventDefault(); mark([...offering.list.children].indexOf(item)); take(); }
    else close();
  });
  body.addEventListener("focusout", (event) => { if (offering && event.target === offering.text) close(); });

  // Quoting: the words that were marked, or else the whole post, go into the reply at the foot of the page.
  function quote(link, words) {
    const text = document.querySelector("#reply [data-composer] textarea");
    if (!text) return false;
    const form = text.form, lines = words.trim().split("\n").map((line) => `> ${line}`.trimEnd()).join("\n");
    const name = link.dataset.name.replace(/[[\]\\]/g, ""), before = text.value.trimEnd();
    form.elements.to.value = link.dataset.number;
    put(text, `${before ? "\n\n" : ""}[${name} ${link.dataset.wrote}](${link.dataset.address}):\n\n${lines}\n\n`, before.length, text.value.length);
    return true;
  }
  function marked() {
    const selection = document.getSelection();
    if (!selection?.rangeCount || selection.isCollapsed) return null;
    const prose = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(".post .prose");
    const from = prose(selection.anchorNode), words = selection.toString().trim();
    const link = from && from === prose(selection.focusNode) && from.closest(".post").querySelector("[data-quote]");
    return link && words ? { link, words, range: selection.getRangeAt(0) } : null;
  }
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-quote]");
    if (!link) return;
    const now = marked();
    if (now?.link === link && quote(link, now.words)) event.preventDefault(); // else its page brings the whole post
  });
  const floating = document.createElement("button");
  floating.type = "button";
  floating.className = "btn btn--sm quote-this";
  let waiting = null;
  floating.addEventListener("click", () => { if (waiting) quote(waiting.link, waiting.words); floating.remove(); });
  document.addEventListener("selectionchange", () => {
    const now = document.querySelector("#reply [data-composer]") && marked();
    if (!now) { if (document.activeElement !== floating) floating.remove(); return; }
    waiting = now;
    const place = now.range.getBoundingClientRect();
    floating.textContent = now.link.dataset.label;
    floating.style.insetBlockStart = `${place.bottom + window.scrollY + 6}px`;
    floating.style.left = `${Math.max(8, place.left + window.scrollX)}px`;
    if (!floating.isConnected) body.append(floating);
  });
})();
