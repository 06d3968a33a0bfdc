// What the pages do beyond being read: they stay up to date, search while one types, keep the
// words of times true, and copy values. Without this script they are complete all the same.

"use strict";

// Milliseconds between two looks at the master, and between two looks at the clock.
const LOOK = 5000;
const TICK = 1000;
// Milliseconds that typing must pause before it is searched.
const PAUSE = 200;

const main = document.querySelector("main");
const live = document.getElementById("live");
let latest = 0;
// Milliseconds that the clock here is ahead of the master's.
let ahead = 0;

// Makes `old` like `fresh` and leaves alone what is alike already, so that focus, selections,
// scrolled boxes and opened details stay.
function renew(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || key(old) !== key(fresh)) {
    old.replaceWith(fresh);
  } else if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) {
      old.data = fresh.data;
    }
  } else if (!old.isEqualNode(fresh)) {
    renewAttributes(old, fresh);
    renewChildren(old, fresh);
  }
}

function renewAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    // Whether details are open is up to the reader.
    if (!fresh.hasAttribute(name) && name !== "open") {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
}

function key(node) {
  return node.id || node.dataset?.key;
}

// Children with a key are found by it wherever they are now, others by their place.
function renewChildren(old, fresh) {
  const after = [...fresh.childNodes];
  const wanted = new Set(after.map(key));
  const keyed = new Map();
  for (const node of [...old.children].filter(key)) {
    if (wanted.has(key(node)) && !keyed.has(key(node))) {
      keyed.set(key(node), node);
    } else {
      node.remove();
    }
  }
  let place = old.firstChild;
  for (const node of after) {
    const known = key(node) ? keyed.get(key(node)) : place && !key(place) ? place : null;
    keyed.delete(key(node));
    if (!known) {
      old.insertBefore(node, place);
      continue;
    }
    if (known === place) {
      place = place.nextSibling;
    } else {
      old.insertBefore(known, place);
    }
    renew(known, node);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

// Shows the present state of an address of the panel. An answer that a later one has overtaken
// is dropped.
async function show(address) {
  const turn = ++latest;
  let page = null;
  try {
    const answer = await fetch(address, { cache: "no-store" });
    ahead = Date.now() - (Date.parse(answer.headers.get("date")) || Date.now());
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    // The master is away; the next look may find it.
  }
  if (turn === latest) {
    const content = page?.querySelector("main");
    live.classList.toggle("lost", !content);
    if (content) {
      renew(main, document.adoptNode(content));
      document.title = page.title;
    }
    tell();
  }
}

function paused() {
  return live.getAttribute("aria-pressed") === "false";
}

function tell() {
  const words = live.classList.contains("lost") ? "Master is away" : "Live";
  live.firstElementChild.textContent = paused() ? "Paused" : words;
}

function look() {
  if (!paused() && !document.hidden) {
    show(location.href);
  }
}

live.addEventListener("click", () => {
  live.setAttribute("aria-pressed", String(paused()));
  tell();
  look();
});

// The rules of the server's words.
function since(seconds) {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

function tick() {
  const now = Date.now() - ahead;
  for (const time of document.querySelectorAll("time")) {
    const words = since((now - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== words) {
      time.textContent = words;
    }
  }
}

let typing = 0;
document.addEventListener("input", ({ target }) => {
  const form = target.closest("form[data-live]");
  if (form) {
    clearTimeout(typing);
    typing = setTimeout(() => search(form), PAUSE);
  }
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-live]")) {
    event.preventDefault();
    clearTimeout(typing);
    search(event.target);
  }
});

function search(form) {
  const address = new URL(form.action);
  for (const [name, value] of new FormData(form)) {
    if (value !== "") {
      address.searchParams.set(name, value);
    }
  }
  history.replaceState(null, "", address);
  show(address);
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button) {
    const copied = navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = await copied.then(() => "Copied", () => "Not allowed");
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
});

document.documentElement.classList.add("scripted");
document.documentElement.classList.toggle("copying", Boolean(navigator.clipboard));
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK);
setInterval(tick, TICK);
