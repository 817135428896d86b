"use strict";

// Keeps the page as it is in the store. One stream tells what kind of thing changes (jobs, queues, workers, schedules);
// what the page shows of it is fetched again and morphed into place, so that focus and open details stay. Nothing moves
// while rows are selected, a dialog is open, the tab is hidden or updates are paused: it is made up for afterwards.
(() => {
  const GAP_MS = 1000; // between two fetches at least
  const SHARE = 10; // a fetch takes at most this part of the time: a slow service is not asked more than it can answer
  const AFTER_FAILURE_MS = 5000;
  const POLL_MS = 10_000; // while there is no stream
  const AGAIN_MS = 60_000; // until a stream that was refused is asked for again

  const main = document.getElementById("main");
  if (!main.dataset.live) return;
  const topics = main.dataset.live.split(" ");
  const state = document.getElementById("live-state");
  const button = document.getElementById("live-switch");

  let stream = null;
  let polling = null;
  let again = null;
  let timer = null;
  let fetchedAt = Date.now();
  let gapMs = GAP_MS;
  let isPaused = sessionStorage.getItem("paused") === "yes";
  let isBehind = false;
  let isAnswered = true; // by a page that can be shown
  let hasFailed = false;
  let isGone = false; // what the page is about

  const hindrance = () => {
    if (isPaused) return "Updates are paused";
    if (document.querySelector("dialog[open]")) return "Updates wait for the dialog";
    if (main.querySelector("input[name=ids]:checked")) return "Updates wait: rows are selected";
    if (document.hidden) return "Updates wait";
    return "";
  };

  const source = () => {
    if (!stream) return "Looked at every 10 s";
    return stream.readyState === EventSource.OPEN ? "Live" : "Connecting";
  };

  const tell = () => {
    const failure = hasFailed ? "The service does not answer; asked again soon" : "";
    const gone = isGone ? "It was removed: this is how it was" : "";
    const text = hindrance() || gone || failure || source();
    if (state.textContent !== text) state.textContent = text;
    button.textContent = isPaused ? "Go on" : "Pause updates";
  };

  const update = () => {
    timer = null;
    tell();
    if (hindrance()) {
      isBehind = true;
      return;
    }
    isBehind = false;
    fetchedAt = Date.now();
    htmx.trigger(main, "refresh");
  };

  const updateSoon = () => {
    timer ??= setTimeout(update, Math.max(0, fetchedAt + gapMs - Date.now()));
  };

  const makeUp = () => {
    tell();
    if (isBehind && !hindrance()) updateSoon();
  };

  const stopPolling = () => {
    clearInterval(polling);
    clearTimeout(again);
    polling = again = null;
  };

  const poll = () => {
    stream = null;
    polling ??= setInterval(updateSoon, POLL_MS);
    again ??= setTimeout(listen, AGAIN_MS);
    tell();
  };

  function listen() {
    stopPolling();
    const opened = new EventSource(main.dataset.events);
    stream = opened;
    // At the beginning, and whenever the connection was lost, all topics are told: what was missed is made up for.
    for (const topic of topics) opened.addEventListener(topic, updateSoon);
    opened.addEventListener("open", tell);
    opened.addEventListener("error", () => {
      if (opened.readyState === EventSource.CLOSED && stream === opened) poll(); // refused: no seat left
      else tell();
    });
    tell();
  }

  const leave = () => {
    stopPolling();
    stream?.close();
    stream = null;
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => event.persisted && listen());
  document.addEventListener("change", makeUp);
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", makeUp);

  button.addEventListener("click", () => {
    isPaused = !isPaused;
    sessionStorage.setItem("paused", isPaused ? "yes" : "no");
    isBehind = true;
    makeUp();
  });

  // A page that cannot be had leaves this one as it is, and is asked for again; one that leads elsewhere (to sign in) is gone to.
  main.addEventListener("htmx:before:request", (event) => {
    if (event.target === main) isAnswered = false;
  });
  main.addEventListener("htmx:before:response", (event) => {
    const answer = event.detail.ctx.response;
    if (event.target !== main) return;
    if (answer.raw.redirected) location.reload();
    isAnswered = !answer.raw.redirected && answer.status < 400;
    isGone = answer.status === 404;
    if (!isAnswered) event.preventDefault();
  });
  main.addEventListener("htmx:finally:request", (event) => {
    if (event.target !== main) return;
    hasFailed = !isAnswered;
    gapMs = Math.max(GAP_MS, SHARE * (Date.now() - fetchedAt), hasFailed ? AFTER_FAILURE_MS : 0);
    tell();
    if (hasFailed && !isGone) updateSoon(); // no further event may come
  });

  state.hidden = button.hidden = false;
  if (!document.hidden) listen();
})();
