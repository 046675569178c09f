// A button with data-copy puts the text of the element with that id on the clipboard, which browsers allow over HTTPS only:
// elsewhere the button stays hidden.
(function () {
  "use strict";

  if (!navigator.clipboard) return;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
  });
})();
