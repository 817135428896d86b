"use strict";

// Shows in a dialog what a link to a question would show as a page.
(() => {
  const dialog = document.getElementById("dialog");
  const content = document.getElementById("dialog-content");

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target === content && content.firstElementChild && !dialog.open) dialog.showModal();
  });

  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.target !== content || (ctx.response.status < 400 && !ctx.response.raw.redirected)) return;
    event.preventDefault(); // what is no question is a page of its own
    location.assign(ctx.sourceElement.href);
  });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });

  dialog.addEventListener("close", () => content.replaceChildren());
})();
