// What the pages can do beyond what HTML can: charts, keys, clocks, copying. Nothing needs it.
"use strict";

(() => {
  const plots = new Set();

  // A canvas takes no light-dark(), so an element tells which of the two colours holds.
  function colour(name) {
    const probe = document.createElement("span");
    probe.style.color = "var(" + name + ")";
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  // Charts ------------------------------------------------------------------------------------

  const written = {
    count: (v) => v >= 1e6 ? (v / 1e6).toFixed(1) + " m" : v >= 1e4 ? (v / 1e3).toFixed(1) + " k" : String(Math.round(v * 100) / 100),
    usd: (v) => "$" + (v >= 1 || v === 0 ? v.toFixed(2) : String(Number(v.toPrecision(3)))),
    ms: (v) => v >= 1000 ? (v / 1000).toFixed(2) + " s" : Math.round(v) + " ms",
    percent: (v) => v.toFixed(1) + " %",
  };

  function day(s, chart) {
    const at = new Date(s * 1000).toISOString();
    const midnight = at.slice(11, 16) === "00:00";
    return midnight || chart.at_s[1] - chart.at_s[0] >= 86400 ? at.slice(5, 10) : at.slice(11, 16);
  }

  // A line needs two points: one with nothing on either side would not be seen.
  function alone(plot, series, all) {
    const values = plot.data[series];
    return all ? null : values.flatMap((v, i) => v != null && values[i - 1] == null && values[i + 1] == null ? [i] : []);
  }

  function draw(box) {
    const told = document.getElementById("chart-" + box.dataset.chart);
    if (!told || typeof uPlot === "undefined" || box.querySelector(".uplot")) return;
    const chart = JSON.parse(told.textContent);
    const format = written[chart.unit];
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const plot = new uPlot({
      width: Math.max(200, box.clientWidth),
      height: 150,
      padding: [8, 18, 0, 0],
      tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "Etc/UTC"),
      cursor: { sync: { key: "page" }, drag: { x: false, y: false } },
      scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, chart.unit === "count" ? 1 : 1e-9)] } },
      axes: [{ ...axis, size: 26, space: 64, values: (_, marks) => marks.map((s) => day(s, chart)) }, { ...axis, size: 58, values: (_, marks) => marks.map(format) }],
      series: [
        { value: (_, s) => s === null ? "" : new Date(s * 1000).toISOString().slice(5, 16).replace("T", " ") },
        ...chart.series.map((line, i) => ({ label: line.label, stroke: colour("--c" + (i + 1)), width: 1.5, points: { show: chart.at_s.length < 40, size: 4, filter: alone }, value: (_, v) => v === null ? "–" : format(v) })),
      ],
    }, [chart.at_s, ...chart.series.map((line) => line.values)], (self, init) => {
      box.replaceChildren(self.root);
      init();
    });
    plot.root.setAttribute("role", "img");
    plot.root.setAttribute("aria-label", box.closest("figure").querySelector("figcaption").textContent);
    plots.add({ plot, box });
  }

  function drawAll() {
    for (const one of plots) if (!one.box.isConnected) { one.plot.destroy(); plots.delete(one); }
    document.querySelectorAll("[data-chart]").forEach(draw);
  }

  function redrawAll() {
    for (const { plot, box } of plots) { plot.destroy(); box.replaceChildren(); }
    plots.clear();
    drawAll();
  }

  addEventListener("resize", () => {
    for (const { plot, box } of plots) plot.setSize({ width: Math.max(200, box.clientWidth), height: 150 });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  // Copying -----------------------------------------------------------------------------------

  function offerCopies() {
    if (!navigator.clipboard) return;
    document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });

  // Keys --------------------------------------------------------------------------------------

  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  let armed = null;

  // What can't be sent without a word of why is asked for it, however it was pressed.
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-needs]");
    const needs = target && document.getElementById(target.dataset.needs);
    if (!needs || needs.value.trim()) return;
    event.preventDefault();
    armed = target;
    needs.placeholder = "Why? Then Ctrl ↵ to " + target.value + " it.";
    needs.focus();
  });

  function press(target) {
    if (target.tagName === "SUMMARY") {
      target.parentElement.open = true;
      target.parentElement.querySelector("textarea").focus();
      return;
    }
    target.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const submit = event.target.closest(".editor")
        ? document.querySelector("[data-submit]")
        : armed && armed.dataset.needs === event.target.id && armed;
      if (submit) { event.preventDefault(); submit.click(); }
      return;
    }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const target = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]');
    if (target) { event.preventDefault(); press(target); }
  });

  // What somebody wrote is not left behind by a wrong key or link.
  let sending = false;
  const isWritten = (form) => form.dataset.keep === "written"
    || [...form.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  addEventListener("beforeunload", (event) => {
    if (!sending && [...document.querySelectorAll("form[data-keep]")].some(isWritten)) event.preventDefault();
  });
  addEventListener("pageshow", () => { sending = false; });

  // A form that is sent twice by an impatient hand is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    sending = "keep" in form.dataset;
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });

  // Clocks of deadlines -----------------------------------------------------------------------

  function span(seconds) {
    const s = Math.abs(seconds);
    if (s < 60) return Math.floor(s) + " s";
    if (s < 3600) return Math.floor(s / 60) + " min";
    if (s < 86400) { const m = Math.floor(s % 3600 / 60); return Math.floor(s / 3600) + " h" + (m ? " " + m + " min" : ""); }
    const h = Math.floor(s % 86400 / 3600);
    return Math.floor(s / 86400) + " d" + (h ? " " + h + " h" : "");
  }

  setInterval(() => {
    document.querySelectorAll("time.due").forEach((clock) => {
      const left = (Date.parse(clock.dateTime) - Date.now()) / 1000;
      const single = clock.closest(".tools");
      clock.textContent = (left < 0 ? "late by " : single ? "due in " : "in ") + span(left);
      clock.classList.toggle("bad", left < 0);
      clock.classList.toggle("warn", left >= 0 && left < 3600);
    });
  }, 1000);

  // A page that renews itself must not take the focus from who goes through it by keyboard.
  let focused = null;
  document.addEventListener("htmx:before:swap", () => { focused = document.activeElement.getAttribute("href"); });
  document.addEventListener("htmx:after:swap", () => {
    drawAll();
    offerCopies();
    if (focused && document.activeElement === document.body) {
      const same = document.querySelector('a[href="' + CSS.escape(focused) + '"]');
      if (same) same.focus({ preventScroll: true });
    }
  });
  drawAll();
  offerCopies();

  const here = document.querySelector(".side nav [aria-current]");
  const row = here && here.closest("nav");
  if (row && row.scrollWidth > row.clientWidth) row.scrollLeft = here.offsetLeft - row.clientWidth / 2;
})();
