"use strict";

// Draws the charts of a page from the table that says the same in numbers: each cell names its series and its value.
(() => {
  const HEIGHT = 200;
  const LOOKS = {
    succeeded: ["--good", []],
    dead: ["--bad", [2, 2]],
    retried: ["--late", [8, 4]],
    cancelled: ["--quiet", [8, 2, 2, 2]],
    expired: ["--wait", [4, 4]],
    p50_wait_ms: ["--busy", []],
    p95_wait_ms: ["--wait", [6, 4]],
  };
  const WHOLE = Array.from({ length: 36 }, (_, place) => [1, 2, 5][place % 3] * 10 ** Math.floor(place / 3)); // steps of the y axis
  const drawn = new Map(); // figure -> its chart, and what it was drawn from

  // What a token stands for now: the browser resolves it for an element.
  const colour = (token) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${token})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const duration = (ms) => {
    if (ms === null) return "";
    if (ms < 1000) return `${Math.round(ms)} ms`;
    return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(0)} min`;
  };

  const clock = (seconds) => {
    const text = new Date(seconds * 1000).toISOString(); // all times are UTC
    return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
  };

  const read = (names) => {
    // Without the last one: it is not over, and would look like a fall.
    const rows = [...document.querySelectorAll("#rates-table tr[data-at]")].slice(0, -1);
    const value = (row, name) => {
      const text = row.querySelector(`[data-series="${name}"]`).dataset.value;
      return text === "" ? null : Number(text);
    };
    return [rows.map((row) => Number(row.dataset.at)), ...names.map((name) => rows.map((row) => value(row, name)))];
  };

  const options = (figure, names, width) => {
    const words = figure.dataset.names.split(",");
    const say = figure.dataset.unit === "ms" ? duration : (number) => (number === null ? "" : String(number));
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] } },
      axes: [{ ...axis, values: (_, instants) => instants.map(clock) }, { ...axis, size: 64, incrs: WHOLE, values: (_, numbers) => numbers.map(say) }],
      series: [
        { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        ...names.map((name, number) => ({
          label: words[number],
          stroke: colour(LOOKS[name][0]),
          dash: LOOKS[name][1],
          width: 2,
          spanGaps: true,
          points: { show: true, size: 4 },
          value: (_, found) => say(found),
        })),
      ],
    };
  };

  const draw = (figure) => {
    const plot = figure.querySelector(".plot");
    const names = figure.dataset.chart.split(" ");
    const data = read(names);
    const text = JSON.stringify(data) + plot.clientWidth + colour("--text");
    if (drawn.get(figure)?.text === text) return;
    drawn.get(figure)?.chart.destroy();
    const chart = new uPlot(options(figure, names, plot.clientWidth), data, plot);
    drawn.set(figure, { chart, text });
  };

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);

  drawAll();
  document.addEventListener("htmx:after:swap", drawAll);
  window.addEventListener("resize", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
