// Small helps of forms. [data-adds]: a button that puts what was chosen beside it on a line of its own into a text.
(function () {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-adds]");
    if (!button) return;
    const chosen = button.parentElement.querySelector("input");
    const text = document.getElementById(button.dataset.adds);
    const path = chosen.value.trim();
    if (path) text.value = `${text.value.trim()}\n${path}`.trim();
    chosen.value = "";
  });
})();
