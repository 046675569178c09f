// Sends a request of the API's reference page with the reader's own session, and shows the answer below the form.
(function () {
  "use strict";

  function addressOf(form) {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    form.querySelectorAll("[data-in]").forEach((input) => {
      const value = input.value.trim();
      if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(value));
      if (input.dataset.in === "query" && value) query.append(input.name, value);
    });
    return query.size ? `${path}?${query}` : path;
  }

  function optionsOf(form) {
    const method = form.dataset.method;
    const body = form.querySelector("[data-in=body]");
    const token = document.querySelector("template[data-token]").content.querySelector("input");
    const headers = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRFToken"] = token.value;
    if (body) headers["Content-Type"] = "application/json";
    return { method, headers, body: body ? body.value : undefined };
  }

  function readable(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch (error) {
      return text;
    }
  }

  async function send(form) {
    const place = form.querySelector("[data-answer]");
    const address = addressOf(form);
    const answer = await fetch(address, optionsOf(form));
    place.querySelector("strong").textContent = `${answer.status} ${answer.statusText}`;
    place.querySelector("code").textContent = `${form.dataset.method} ${address}`;
    place.querySelector("pre").textContent = readable(await answer.text());
    place.hidden = false;
  }

  function open() {
    const part = document.getElementById(window.location.hash.slice(1));
    if (part && part.matches("details")) part.open = true;
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-path]")) return;
    event.preventDefault();
    send(event.target);
  });
  window.addEventListener("hashchange", open);
  open();
})();
