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

const latest = (to, types) => {
  if (!to || !types.length) return;
  const parts = [];
  for (const t of types) {
    parts.push(make("h3", t.type));
    for (const r of t.records) {
      const dl = make("dl", undefined, "record");
      for (const f of r.fields) {
        const row = make("div");
        row.append(make("dt", f.name), make("dd", f.value));
        dl.append(row);
      }
      parts.push(dl);
    }
  }
  to.replaceChildren(...parts);
};

const showLive = (live) => {
  const one = (q) => document.querySelector(q);
  for (const e of document.querySelectorAll("[data-figure]")) {
    const v = live[e.dataset.figure];
    set(e, e.dataset.figure === "pages_per_second" ? v.toFixed(1) : count(v));
  }
  set(one("[data-bytes]"), bytes(live.bytes));
  set(one("[data-seconds]"), took(live.elapsed_s));
  plot(live.pages_per_second);
  const number = (n) => make("td", count(n), "number");
  rows(one("[data-rows=records]"), live.records.map((r) => [make("td", r.type), number(r.count)]), "none yet", 2);
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
    if (!answer.ok) set(document.getElementById("link-state"), (await answer.json()).detail);
    await refresh();
  } catch { form.submit(); }
});

setInterval(() => { if (!document.hidden) refresh(); }, 60000);
watch();
