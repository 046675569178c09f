// What unfold lets people do with a mouse only can be done with the keyboard as well: whatever listens to clicks is
// reached by Tab, pressed by Enter or Space, and has a name where it shows a symbol alone.
(function () {
  "use strict";

  const CLICKED = "[x-on\\:click], [\\@click]";
  const USABLE = "a[href], button, input, select, textarea, summary";
  // Which word of [data-symbols] a symbol is called by; the page gives them in the reader's language.
  const NAMES = { menu: "menu", dock_to_right: "menu", menu_open: "menu", close: "close", more_horiz: "more", expand_more: "more",
    light_mode: "light", dark_mode: "light", desktop_windows: "light", computer: "light", contrast: "light" };

  function wordsOf(key) {
    const words = document.querySelector("[data-symbols]");
    return words && key && words.dataset[key];
  }

  function name(element) {
    const symbols = Array.from(element.querySelectorAll(".material-symbols-outlined"));
    if (element.matches(".material-symbols-outlined")) symbols.push(element);
    const words = symbols.reduce((text, symbol) => text.replace(symbol.textContent, ""), element.textContent).trim();
    if (words || element.getAttribute("aria-label") || symbols.length === 0) return;
    const symbol = symbols[0].textContent.trim();
    element.setAttribute("aria-label", element.title || wordsOf(NAMES[symbol]) || symbol.replaceAll("_", " "));
  }

  function reach(element) {
    if (element.matches(USABLE)) return name(element);
    if (element.hasAttribute("tabindex") || element.querySelector(`${USABLE}, [tabindex]`)) return;
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    name(element);
  }

  // A field that searches in a list of choices is called as the list is.
  function nameSearch(field) {
    const select = field.closest(".select2")?.previousElementSibling;
    const label = select && (select.getAttribute("aria-label") || select.labels?.[0]?.textContent.trim());
    if (label && !field.getAttribute("aria-label")) field.setAttribute("aria-label", label);
  }

  // Sideways only: the page stays where its address led to, such as #jobs.
  function showTab(tab) {
    const bar = tab?.closest(".dm-tabs");
    if (!bar) return;
    const [inner, outer] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    bar.scrollLeft += Math.max(inner.right - outer.right, 0) + Math.min(inner.left - outer.left, 0);
  }

  function look() {
    document.querySelectorAll(CLICKED).forEach(reach);
    // Of tabs that are wider than the screen, the one that is open is seen.
    showTab(document.querySelector(".dm-tabs [aria-current]"));
    document.querySelectorAll(".select2-search__field").forEach(nameSearch);
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((one) => one.setAttribute("role", "img"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const element = event.target;
    if (!element.matches || element.matches(USABLE) || element.getAttribute("role") !== "button") return;
    event.preventDefault();
    element.click();
  });
  // A list of choices keeps its keys to itself. While it is closed, Escape belongs to the panel around it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.matches?.(".select2-search__field")) return;
    if (!document.querySelector(".select2-container--open")) window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  }, true);
  // Django's own scripts build some fields when the page is loaded; these come first.
  window.addEventListener("load", () => window.setTimeout(look, 0));
  document.addEventListener("htmx:afterSettle", look);
})();
