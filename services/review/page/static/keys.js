// Every key does what the button that shows it does, so the page works by keyboard alone and by pointer alone.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const isTyping = (element) => element instanceof HTMLElement && element.matches("textarea, input:not([type=checkbox])");

  function show(id) {
    const panel = document.getElementById(id);
    if (panel instanceof HTMLDialogElement) {
      panel.open ? panel.close() : panel.showModal();
      return;
    }
    if (!panel) return;
    const opens = panel.hidden;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    for (const other of document.querySelectorAll(".panel")) other.hidden = true;
    panel.hidden = !opens;
    const button = one(`[aria-controls="${id}"]`);
    if (button) button.setAttribute("aria-expanded", String(opens));
    if (opens) {
      panel.scrollIntoView({block: "nearest"});
      const first = panel.querySelector("textarea");
      if (first) first.focus();
    }
  }

  function digit(key, collect) {
    const panel = one("#reasons");
    const box = panel && !panel.hidden && panel.querySelector(`[data-digit="${key}"]`);
    if (!box) return false;
    box.checked = collect ? !box.checked : true;
    if (collect) return true;
    if (box.value === "other" && !panel.elements.comment.value) panel.elements.comment.focus();
    else panel.requestSubmit();
    return true;
  }

  function press(event) {
    const open = one("dialog[open]");
    const panel = one(".panel:not([hidden])");
    if (event.key === "Escape" && panel && !open) return show(panel.id) || true;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && panel) return panel.requestSubmit() || true;
    if (event.ctrlKey || event.metaKey || event.altKey || open || isTyping(event.target)) return false;
    const number = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    if (number) return digit(number[1], event.shiftKey);
    if (event.key === "Enter" && panel && !(event.target instanceof HTMLButtonElement)) return panel.requestSubmit() || true;
    const button = one(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!button || button.disabled) return false;
    button.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (!event.repeat && press(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[aria-controls]");
    if (button) show(button.getAttribute("aria-controls"));
  });
})();
