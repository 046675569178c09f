// While a limit is typed: what the address in [data-limit] answers about it stands there, before anything is saved.
// Without this script, the exposure beside the field and the page of the decision state it.
(function () {
  "use strict";

  const PAUSE = 300;

  document.querySelectorAll("[data-limit]").forEach((warning) => {
    const form = warning.closest("form");
    const { amount, currency } = form.elements;
    let waiting;
    let asked = 0;

    async function ask() {
      const number = (asked += 1);
      let words = "";
      try {
        const query = new URLSearchParams({ amount: amount.value, currency: currency.value });
        const answer = await fetch(`${warning.dataset.limit}?${query}`, { headers: { "X-Requested-With": "limit" } });
        if (answer.ok && !answer.redirected) words = (await answer.text()).trim();
      } catch (error) {
        // The server is away for a moment; it checks the limit when the decision is saved.
      }
      if (number === asked) {
        warning.textContent = words;
        warning.classList.toggle("dm-error", words !== "");
      }
    }

    for (const field of [amount, currency]) {
      field.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(ask, PAUSE);
      });
    }
    if (amount.value) ask();
  });
})();
