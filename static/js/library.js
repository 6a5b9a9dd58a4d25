// Copy a citation; the button is there only with scripts.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const line = (part) => part.textContent.trim().replace(/\s+/g, " ");
  const words = source.matches("ol, ul") ? Array.from(source.children, line).join("\n") : line(source);
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // An old browser, or a page without https: select it, so that the keyboard can copy.
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return;
  }
  const before = button.textContent;
  button.textContent = button.dataset.copied;
  button.setAttribute("aria-live", "polite");
  window.setTimeout(() => { button.textContent = before; }, 2000);
});

// How many characters are left in a short answer; the server counts too, and cuts nothing.
for (const box of document.querySelectorAll("textarea[data-most]")) {
  const most = Number(box.dataset.most);
  const counter = document.createElement("p");
  counter.className = "counter";
  counter.setAttribute("aria-hidden", "true");
  const said = document.createElement("span");
  said.className = "sr-only";
  said.setAttribute("role", "status");
  box.after(counter, said);
  const count = () => {
    const left = most - [...box.value.replace(/\r\n/g, "\n")].length;
    counter.textContent = `${most - left} / ${most}`;
    counter.classList.toggle("is-over", left < 0);
    said.textContent = left < 30 ? counter.textContent : "";
  };
  box.addEventListener("input", count);
  count();
}
