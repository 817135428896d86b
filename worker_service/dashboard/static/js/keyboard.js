"use strict";

// Single keys, for who has not switched them off: see the list that "?" shows.
(() => {
  const list = document.getElementById("keys");
  if (list.dataset.keys !== "on") return;

  let isGoing = false; // "g" was pressed, and the next letter says where to

  const rows = () => [...document.querySelectorAll("tr[data-row]")];
  const current = () => document.activeElement.closest("tr[data-row]");

  const move = (step) => {
    const all = rows();
    const from = all.indexOf(current());
    const row = all[from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)];
    row?.querySelector("[data-open]")?.focus();
  };

  const select = () => current()?.querySelector("input[name=ids]")?.click();

  // What is selected comes first, then the row that has the focus, then what the page is about.
  const press = (one, many) => {
    const isSelected = document.querySelector("input[name=ids]:checked");
    const place = current() ?? document.getElementById("main");
    const button = isSelected ? document.querySelector(`[data-action=${many}]`) : place.querySelector(`[data-action=${one}]`);
    button?.click();
  };

  const KEYS = {
    "/": () => document.getElementById("filter")?.focus(),
    "?": () => list.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: select,
    r: () => press("retry-job", "retry-jobs"),
    c: () => press("cancel-job", "cancel-jobs"),
    g: () => {
      isGoing = true;
      setTimeout(() => (isGoing = false), 1500);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const there = isGoing && document.querySelector(`nav [data-letter="${CSS.escape(event.key)}"]`);
    isGoing = false;
    if (there) there.click();
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
    else return;
    event.preventDefault();
  });
})();
