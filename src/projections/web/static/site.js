// Better with it, complete without it: keys, the focus after an answer, plots that can be read point by point.
"use strict";

(() => {
  document.documentElement.classList.add("has-script");
  const keys = document.getElementById("keys");
  let leader = false;

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  const go = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (leader) {
      leader = false;
      const place = keys && keys.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (place) window.location.assign(place.dataset.go);
      return;
    }
    switch (event.key) {
      case "g": leader = true; break;
      case "?": if (keys) keys.showModal(); break;
      case "/": {
        const field = document.querySelector("main input[type=search]") || document.querySelector("input[type=search]");
        if (field) { event.preventDefault(); field.focus(); field.select(); }
        break;
      }
      case "j": go("a[rel=next]"); break;
      case "k": go("a[rel=prev]"); break;
      default:
    }
  });

  // A button pressed twice sends one command anyway (it carries its id); it need not look as if it sent two.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("button:not([formmethod=dialog])");
    if (event.target.method === "post" && button) {
      button.setAttribute("aria-busy", "true");
      window.setTimeout(() => button.removeAttribute("aria-busy"), 4000);
    }
  });

  const alert = document.querySelector("[role=alert][tabindex]");
  if (alert) alert.focus();

  const current = document.querySelector(".reel [aria-current]");
  if (current) current.scrollIntoView({ block: "nearest" });

  for (const place of document.querySelectorAll("[data-plot]")) plot(place);

  function plot(place) {
    if (typeof uPlot === "undefined") return;
    const told = JSON.parse(place.querySelector("template").content.textContent);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const drawn = place.querySelector(".scroll");
    const target = document.createElement("div");
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const looks = ["--bar", "--hatch", "--info", "--late"];
    const options = {
      width: Math.min(place.clientWidth, 760), height: 260, cursor: { drag: { x: true, y: false } },
      scales: { x: { time: true } },
      axes: [axis, { ...axis, size: 74, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString(document.documentElement.lang)) }],
      series: [{ label: told.label, value: "{YYYY}-{MM}" }, ...told.series.map((series, number) => ({
        label: series.name, stroke: colour(looks[number % looks.length]), width: 2, points: { show: true, size: 5 },
        value: (_, figure) => (figure === null ? "–" : figure.toLocaleString(document.documentElement.lang)),
      }))],
    };
    drawn.replaceWith(target);
    new uPlot(options, [told.months, ...told.series.map((series) => series.figures)], target);
  }
})();
