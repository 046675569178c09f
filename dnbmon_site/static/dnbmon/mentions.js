// Behind “@” in a text with data-names: the users of the <datalist> with that id whose names begin so. Without this
// script the username is typed.
(function () {
  "use strict";

  const TYPED = /(?:^|[^\w.@+/-])@([\w.@+-]*)$/;
  const MOST = 8;

  function begins(option, typed) {
    const words = `${option.value} ${option.label}`.toLowerCase().split(/[\s.@()-]+/);
    return option.value.toLowerCase().startsWith(typed) || words.some((word) => word.startsWith(typed));
  }

  function complete(text) {
    const names = Array.from(document.getElementById(text.dataset.names).options);
    const list = document.createElement("ul");
    const count = document.createElement("p");
    let chosen = -1;
    list.id = `${text.id}_names`;
    list.className = "dm-mentions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", text.dataset.namesLabel);
    count.className = "dm-heard";
    count.setAttribute("role", "status");
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-haspopup", "listbox");
    text.setAttribute("aria-controls", list.id);
    text.after(list, count);

    const typed = () => TYPED.exec(text.value.slice(0, text.selectionStart));

    function show(found) {
      list.replaceChildren(...found.map((option, place) => {
        const row = document.createElement("li");
        row.id = `${list.id}_${place}`;
        row.dataset.name = option.value;
        row.setAttribute("role", "option");
        const name = option.label === option.value ? option.value : `${option.label} (@${option.value})`;
        row.textContent = option.dataset.note ? `${name}, ${option.dataset.note}` : name;
        return row;
      }));
      list.hidden = found.length === 0;
      count.textContent = found.length ? `${text.dataset.namesLabel}: ${found.length}` : "";
      choose(found.length ? 0 : -1);
    }

    function choose(place) {
      chosen = place;
      Array.from(list.children).forEach((row, at) => row.setAttribute("aria-selected", String(at === place)));
      if (place < 0) text.removeAttribute("aria-activedescendant");
      else text.setAttribute("aria-activedescendant", list.children[place].id);
    }

    function take(row) {
      const end = text.selectionStart;
      const start = end - typed()[1].length;
      text.setRangeText(`${row.dataset.name} `, start, end, "end");
      show([]);
      text.focus();
    }

    text.addEventListener("input", () => {
      const match = typed();
      const letters = match ? match[1].toLowerCase() : "";
      const isComplete = names.some((one) => one.value.toLowerCase() === letters);
      show(match && !isComplete ? names.filter((one) => begins(one, letters)).slice(0, MOST) : []);
    });
    text.addEventListener("keydown", (event) => {
      if (list.hidden || event.isComposing) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) choose((chosen + step + list.children.length) % list.children.length);
      else if ((event.key === "Enter" || event.key === "Tab") && typed()) take(list.children[chosen]);
      else if (event.key === "Escape") show([]);
      else return;
      event.preventDefault();
    });
    text.addEventListener("blur", () => show([]));
    // Before the text loses the focus.
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const row = event.target.closest("li");
      if (row && typed()) take(row);
    });
  }

  document.querySelectorAll("textarea[data-names]").forEach(complete);
})();
