// Keeps [data-live] up to date without a reload: asks every few seconds whether anything was published, and then
// fetches that part of the page and puts it in place. Sleeps while the page is hidden. A region with data-refresh="always"
// shows work in progress and is fetched each time; with "never" it has come to its end. Where the region contains
// [data-part], only these are exchanged: the rows of a list keep their checkboxes, and a page its open details.
(function () {
  "use strict";

  const PULSE = "/monitoring/change/pulse/";
  const STALE = 15000;
  let fetched = Date.now();
  let busy = false;

  function place() {
    return document.getElementById("live");
  }

  function onFirstPage() {
    return !/[?&]p=([2-9]|1\d)/.test(window.location.search);
  }

  function isUsed(element) {
    const open = element.querySelector("details[open]");
    const selection = window.getSelection();
    const focused = element.querySelector(":focus-visible");
    return Boolean(open || focused) || (selection && String(selection).length > 0 && element.contains(selection.anchorNode));
  }

  function markNew(before, now) {
    const known = new Set(Array.from(before.querySelectorAll("[data-key]"), (line) => line.dataset.key));
    if (known.size === 0) return;
    now.querySelectorAll("[data-key]").forEach((line) => {
      if (!known.has(line.dataset.key)) line.classList.add("dm-new");
    });
  }

  function replaceParts(element, fresh) {
    fresh.querySelectorAll("[data-part]").forEach((part) => {
      const old = element.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (old && !isUsed(old) && old.outerHTML !== part.outerHTML) old.replaceWith(document.adoptNode(part));
    });
    element.dataset.refresh = fresh.dataset.refresh || "";
    element.dataset.published = fresh.dataset.published || "";
  }

  async function refresh(element) {
    const answer = await fetch(element.dataset.live || window.location.href, { headers: { "X-Requested-With": "live" } });
    // Health answers 503 with its page while something is critical.
    if ((!answer.ok && answer.status !== 503) || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (!fresh) return;
    if (fresh.querySelector("[data-part]")) {
      replaceParts(element, fresh);
    } else {
      if (isUsed(element)) return;
      markNew(element, fresh);
      element.replaceWith(document.adoptNode(fresh));
    }
    fetched = Date.now();
  }

  async function look() {
    const element = place();
    const refreshes = element && element.dataset.refresh;
    if (!element || document.hidden || busy || !onFirstPage() || refreshes === "never") return;
    busy = true;
    try {
      if (refreshes === "always") return await refresh(element);
      const answer = await fetch(PULSE);
      if (!answer.ok || answer.redirected) return;
      const { published } = await answer.json();
      const isStale = element.dataset.live && Date.now() - fetched > STALE;
      if (published !== element.dataset.published || isStale) await refresh(element);
    } catch (error) {
      // The server is away for a moment; the next attempt follows soon.
    } finally {
      busy = false;
    }
  }

  function begin() {
    const element = place();
    if (!element) return;
    window.setInterval(look, 1000 * Number(element.dataset.every || 5));
    document.addEventListener("visibilitychange", look);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
