// A button with data-print prints the page; what print leaves out and how the rest looks is in the style sheets.
(function () {
  "use strict";

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
})();
