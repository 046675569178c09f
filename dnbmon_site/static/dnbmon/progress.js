// Keeps [data-progress] up to date while something is under way: fetches that part of the page every two seconds.
(function () {
  "use strict";

  async function look() {
    const part = document.querySelector("[data-progress]");
    if (!part || document.hidden || part.dataset.progress === "done") return;
    try {
      const live = new URL(window.location.href);
      live.searchParams.set("part", "live");
      const answer = await fetch(live, { headers: { "X-Requested-With": "progress" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-progress]");
      if (fresh) part.replaceWith(document.adoptNode(fresh));
    } catch (error) {
      // The server is away for a moment; the next look will tell.
    }
  }

  window.setInterval(look, 2000);
})();
