(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var all = function (what) { return Array.prototype.slice.call(document.querySelectorAll(what)); };
  var root = document.documentElement, cards = all(".card"), tiles = all(".tile"), find = byId("find"), keys = byId("keys");
  var texts = cards.map(function (c) { return c.textContent.toLowerCase(); });
  var current = -1, kind = "";

  // A page opened from a file may be refused its storage: the theme then lasts as long as the page.
  var stored = function (value) {
    try {
      if (value === undefined) { return localStorage.getItem("maestro-theme"); }
      localStorage.setItem("maestro-theme", value);
    } catch (e) { /* nothing to do */ }
    return null;
  };
  var theme = function (value) {
    var known = value === "light" || value === "dark";
    if (known) { root.setAttribute("data-theme", value); } else { root.removeAttribute("data-theme"); }
    byId("theme").textContent = "Theme: " + (known ? value : "auto");
  };
  var nextTheme = function () {
    var now = root.getAttribute("data-theme") || "auto";
    var value = { auto: "dark", dark: "light", light: "auto" }[now];
    theme(value);
    stored(value);
  };

  var visible = function () { return cards.filter(function (c) { return !c.hidden; }); };
  var mark = function (card) {
    cards.forEach(function (c) { c.classList.toggle("current", c === card); });
    current = cards.indexOf(card);
    if (card) {
      card.querySelector("summary").focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  };
  var move = function (step) {
    var shown = visible();
    if (!shown.length) { return; }
    var at = shown.indexOf(cards[current]);
    at = at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + step, 0), shown.length - 1);
    mark(shown[at]);
  };
  var filter = function () {
    var wanted = find.value.trim().toLowerCase();
    cards.forEach(function (c, i) { c.hidden = (kind !== "" && c.dataset.kind !== kind) || texts[i].indexOf(wanted) < 0; });
    byId("none").hidden = cards.length === 0 || visible().length > 0;
    if (current >= 0 && cards[current].hidden) { mark(null); }
  };
  var toggleAll = function () {
    var shown = visible(), open = shown.some(function (c) { return !c.open; });
    shown.forEach(function (c) { c.open = open; });
    byId("all").textContent = open ? "Close all" : "Open all";
  };
  var help = function () { if (keys.open) { keys.close(); } else { keys.showModal(); } };

  tiles.forEach(function (tile) {
    tile.addEventListener("click", function () {
      kind = kind === tile.dataset.kind ? "" : tile.dataset.kind;
      tiles.forEach(function (t) { t.setAttribute("aria-pressed", String(t.dataset.kind === kind)); });
      filter();
    });
  });
  cards.forEach(function (c) { c.querySelector("summary").addEventListener("focus", function () { if (cards[current] !== c) { mark(c); } }); });
  find.addEventListener("input", filter);
  byId("all").addEventListener("click", toggleAll);
  byId("theme").addEventListener("click", nextTheme);
  byId("help").addEventListener("click", help);
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.target === find) {
      if (event.key === "Escape") { find.value = ""; filter(); find.blur(); }
      return;
    }
    if (keys.open && event.key !== "?") { return; }
    var actions = { j: function () { move(1); }, k: function () { move(-1); }, o: toggleAll, t: nextTheme, "?": help, "/": function () { find.focus(); } };
    if (Object.prototype.hasOwnProperty.call(actions, event.key)) {
      event.preventDefault();
      actions[event.key]();
    } else if (event.key === "Enter" && current >= 0 && document.activeElement === document.body) {
      cards[current].open = !cards[current].open;
    }
  });

  // What is closed would not be printed.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = cards.filter(function (c) { return !c.open; });
    opened.forEach(function (c) { c.open = true; });
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (c) { c.open = false; }); });

  document.querySelector(".tools").hidden = false;
  theme(stored());
})();
