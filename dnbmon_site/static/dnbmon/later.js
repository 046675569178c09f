// Fills [data-later] with what its address answers: parts of a page that take longer than the rest. What stands there
// before stays where there is no answer.
(function () {
  "use strict";

  async function fill(element) {
    try {
      const answer = await fetch(element.dataset.later, { headers: { "X-Requested-With": "later" } });
      if (!answer.ok || answer.redirected) return;
      element.innerHTML = await answer.text();
      delete element.dataset.later;
    } catch (error) {
      // The server is away for a moment; the page stays as it is.
    }
  }

  document.querySelectorAll("[data-later]").forEach(fill);
})();
