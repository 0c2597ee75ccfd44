// Keeps a page up to date by the events of what it shows. Everything that comes from
// a crawl is put in as text, never as markup; without this script pages work as well,
// and stand still.
"use strict";

const count = (n) => n.toLocaleString("en-US");

const bytes = (n) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return (i ? n.toFixed(1) : n) + " " + units[i];
};

const took = (s) => {
  if (s < 1) return Math.round(s * 1000) + " ms";
  if (s < 60) return s.toFixed(1) + " s";
  const m = Math.floor(s / 60), h = Math.floor(m / 60);
  if (h < 1) return m + " min " + Math.floor(s % 60) + " s";
  if (h < 24) return h + " h " + (m % 60) + " min";
  return Math.floor(h / 24) + " d " + (h % 24) + " h";
};

const make = (tag, text, name) => {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (name) e.className = name;
  return e;
};

const set = (e, text) => { if (e && e.textContent !== text) e.textContent = text; };

const rows = (body, list, none, width) => {
  if (!body) return;
  if (!list.length) {
    const cell = make("td", none, "faint");
    cell.colSpan = width;
    list = [[cell]];
  }
  body.replaceChildren(...list.map((cells) => { const tr = make("tr"); tr.append(...cells); return tr; }));
};

const rates = []; // pages a second, for two minutes

const plot = (rate) => {
  rates.push(rate);
  if (rates.length > 120) rates.shift();
  const line = document.querySelector("#plot polyline");
  if (!line) return;
  const most = Math.max(...rates, 1), step = 240 / Math.max(rates.length - 1, 1);
  line.setAttribute("points", rates.map((r, i) => (i * step).toFixed(1) + "," + (46 - 44 * r / most).toFixed(1)).join(" "));
};

const head = (names) => {
  const tr = make("tr");
  for (const name of names) { const th = make("th", name, name === "Of records" ? "number" : ""); th.scope = "col"; tr.append(th); }
  const thead = make("thead");
  thead.append(tr);
  return thead;
};

// keep replaces what an element holds where that is other than it was: who has scrolled
// or is reading there is left alone.
const keep = (to, key, build) => {
  if (!to || to.dataset.shown === key) return;
  const places = [...to.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
  to.replaceChildren(...build());
  [...to.querySelectorAll(".scroll")].forEach((e, i) => { e.scrollLeft = places[i] || 0; });
  to.dataset.shown = key;
};

const mostColumns = 12;

const latest = (to, types) => types.length && keep(to, JSON.stringify(types), () => types.flatMap((t) => {
  const columns = [], body = make("tbody");
  const lines = [...t.records].reverse().map((r) => {
    const cells = [];
    for (const f of r.fields) {
      let i = columns.indexOf(f.name);
      if (i < 0) { if (columns.length === mostColumns) continue; i = columns.push(f.name) - 1; }
      cells[i] = f.value;
    }
    return { cells, url: r.url };
  });
  for (const line of lines) {
    const tr = make("tr");
    columns.forEach((_, i) => { const td = make("td"); td.append(make("span", line.cells[i] || "", "cell")); tr.append(td); });
    const td = make("td");
    td.append(make("span", line.url, "cell faint"));
    tr.append(td);
    body.append(tr);
  }
  const table = make("table"), box = make("div", undefined, "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Records");
  table.append(head([...columns, "Page"]), body);
  box.append(table);
  return [make("h3", t.type), box];
}));

const percent = (part) => Math.floor(part * 1000) / 10 + " %";

const fills = (to, types) => types.length && keep(to, JSON.stringify(types), () => types.flatMap((t) => {
  const title = make("h3", t.type + " "), body = make("tbody");
  title.append(make("small", count(t.records) + (t.records === 1 ? " record" : " records") + (t.rejected ? ", " + count(t.rejected) + " rejected" : "")));
  for (const f of t.fields) {
    const tr = make("tr"), cell = make("td"), meter = make("meter");
    meter.min = 0; meter.max = 1; meter.low = 0.5; meter.value = f.fill;
    meter.setAttribute("aria-label", percent(f.fill));
    cell.append(meter);
    tr.append(make("td", f.name), cell, make("td", percent(f.fill), "number"));
    body.append(tr);
  }
  if (!t.fields.length) return [title];
  const table = make("table", undefined, "fills");
  table.append(head(["Field", "Has a value", "Of records"]), body);
  return [title, table];
}));

const queues = (crawl, list) => list.map((q) => {
  const th = make("th", undefined, "break"), a = make("a", q.host);
  th.scope = "row";
  a.href = "/crawls/" + encodeURIComponent(crawl) + "/host?origin=" + encodeURIComponent(q.host);
  a.id = "host-" + q.host;
  th.append(a);
  const cell = (label, text, name) => { const td = make("td", text, name); td.dataset.label = label; return td; };
  const owed = cell("Owed", took(q.owed_s) + " ");
  owed.append(make("span", q.owed_by || "", "faint"));
  return [th, cell("Queued", count(q.queued) + (q.more ? "+" : ""), "number"), cell("In flight", count(q.in_flight), "number"),
    cell("Waits for", q.why || "nothing", q.why ? "" : "faint"), cell("How long", q.for_s ? took(q.for_s) : "–", "number"), owed];
});

// became says what became of pages that may be known from earlier runs.
const became = (r) => r ? [["new", r.new], ["changed", r.changed], ["gone", r.gone], ["unchanged", r.unchanged], ["not due", r.not_due], ["kept", r.kept]]
  .filter(([, n]) => n).map(([what, n]) => count(n) + " " + what).join(", ") : "";

const showLive = (live) => {
  const one = (q) => document.querySelector(q);
  for (const e of document.querySelectorAll("[data-figure]")) {
    const v = live[e.dataset.figure];
    set(e, e.dataset.figure === "pages_per_second" ? v.toFixed(1) : count(v));
  }
  set(one("[data-bytes]"), bytes(live.bytes));
  set(one("[data-seconds]"), took(live.elapsed_s));
  const since = one("[data-became]");
  set(since, became(live.revisit));
  if (since) since.parentElement.hidden = !live.revisit;
  plot(live.pages_per_second);
  const number = (n) => make("td", count(n), "number");
  const focus = document.activeElement?.id; // a link in a row that is made anew
  rows(one("[data-rows=queues]"), queues(one("[data-crawl]")?.dataset.crawl || "", live.queues), "nothing is queued", 6);
  if (focus?.startsWith("host-")) document.getElementById(focus)?.focus();
  fills(one("[data-fills]"), live.types);
  rows(one("[data-rows=errors]"), live.errors.map((e) => {
    const why = make("td", (e.url || "") + " ", "break");
    why.append(make("span", e.detail || "", "faint"));
    return [make("td", e.class.replaceAll("_", " ")), number(e.count), why];
  }), "nothing", 3);
  latest(one("[data-latest]"), live.latest);
};

// refresh reads the page again and puts its content in the place of this one's; what
// had the focus has it again.
let refreshing = false;
const refresh = async () => {
  if (refreshing || document.activeElement?.tagName === "INPUT") return;
  refreshing = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") { location.reload(); return; }
    if (!answer.ok) return;
    const again = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    const focus = document.activeElement?.id;
    const details = document.querySelector("details")?.open;
    document.getElementById("main").replaceWith(again);
    if (details && again.querySelector("details")) again.querySelector("details").open = true;
    if (focus) {
      const other = focus.replace(/^(start|stop)-|^(pause|resume)-/, (m, a) => a ? (a === "start" ? "stop-" : "start-") : (m === "pause-" ? "resume-" : "pause-"));
      (document.getElementById(focus) || document.getElementById(other))?.focus();
    }
  } catch { /* the daemon is away: the events tell when it is back */ } finally { refreshing = false; }
};

const watch = () => {
  const address = document.getElementById("main").dataset.watch;
  if (!address) return;
  const link = document.getElementById("link-state");
  const events = new EventSource(address);
  events.onopen = () => set(link, "");
  events.onerror = () => set(link, "not connected");
  events.onmessage = (message) => {
    const now = JSON.parse(message.data);
    if (now.live) showLive(now.live);
    for (const c of now.running || []) {
      set(document.querySelector(`[data-pages="${CSS.escape(c.name)}"]`), count(c.pages));
      set(document.querySelector(`[data-rate="${CSS.escape(c.name)}"]`), c.pages_per_second.toFixed(1));
    }
    if (now.version !== document.getElementById("main").dataset.version) refresh();
  };
};

// Buttons ask without leaving the page; should that fail, the form is sent as it is.
document.addEventListener("submit", async (e) => {
  const form = e.target;
  if (!form.action.includes("/api/v1/")) return;
  e.preventDefault();
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
    const said = (await answer.json().catch(() => ({}))).detail;
    await refresh();
    if (said) set(document.getElementById("link-state"), said);
  } catch { form.submit(); }
});

setInterval(() => { if (!document.hidden) refresh(); }, 60000);
watch();
