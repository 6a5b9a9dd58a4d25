// Copy a citation; the button is there only with scripts.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const words = source.textContent.trim().replace(/\s+/g, " ");
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
