"use strict";

// Counts the rows that are selected, and selects all of the page.
(() => {
  const boxes = () => [...document.querySelectorAll("input[name=ids]")];

  const tell = () => {
    const form = document.getElementById("selection");
    if (!form) return;
    const chosen = boxes().filter((box) => box.checked).length;
    form.querySelector("[data-chosen]").textContent = chosen === 0 ? "" : `${chosen} selected`;
    const all = document.querySelector("[data-all]");
    if (!all) return;
    all.hidden = false;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
    tell();
  });
  document.addEventListener("htmx:after:swap", tell);
  tell();
})();
