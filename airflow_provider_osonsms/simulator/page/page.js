// The inbox page: loads its content again whenever the simulator reports a change.
import { WORDS } from "/_simulator/page/words.js";
import {
  element, renderAccounts, renderBulk, renderEmpty, renderHandsets, renderMessage, renderRefusal,
} from "/_simulator/page/render.js";

const byId = (id) => document.getElementById(id);
const TABS = ["messages", "bulks", "refusals"];
const state = {
  language: localStorage.getItem("language") ?? (navigator.language.startsWith("ru") ? "ru" : "en"),
  theme: localStorage.getItem("theme"),
  phone: null,
  tab: "messages",
  answer: null,
};
let isLoading = false;
let loadAgain = false;

async function refresh() {
  if (isLoading) {
    loadAgain = true;
    return;
  }
  isLoading = true;
  const query = new URLSearchParams({ search: byId("search").value, language: state.language });
  if (state.phone) query.set("phone", state.phone);
  try {
    const response = await fetch(`/_simulator/inbox?${query}`);
    if (response.ok) {
      state.answer = await response.json();
      show();
    }
  } catch {
    showLive(false);
  } finally {
    isLoading = false;
    if (loadAgain) {
      loadAgain = false;
      refresh();
    }
  }
}

function show() {
  const { answer, language } = state;
  const words = WORDS[language];
  byId("accounts").replaceChildren(...renderAccounts(answer.accounts, language));
  byId("handsets").replaceChildren(...renderHandsets(answer, state.phone, language, choosePhone));
  const isSearching = byId("search").value !== "" || state.phone !== null;
  const renderNothing = () => isSearching ? element("p", { class: "empty" }, words.emptyFound) : renderEmpty(answer, language);
  fill("inbox", answer.messages.map((message) => renderMessage(message, language)), renderNothing);
  const renderHint = (text) => () => element("p", { class: "empty" }, isSearching ? words.emptyFound : text);
  fill("bulks", answer.bulks.map((job) => renderBulk(job, language)), renderHint(words.emptyBulks));
  fill("refusals", answer.refusals.map((refusal) => renderRefusal(refusal, language)), renderHint(words.emptyRefusals));
  for (const tab of TABS) {
    const button = byId(`tab-${tab}`);
    button.replaceChildren(words[tab], " ", element("span", { class: "count" }, String(answer.totals[tab])));
    button.setAttribute("aria-selected", String(tab === state.tab));
    byId(tab).hidden = tab !== state.tab;
  }
  document.title = `(${answer.totals.messages}) OsonSMS ${words.simulator}`;
}

function fill(id, rows, renderNothing) {
  byId(id).replaceChildren(...(rows.length ? rows : [renderNothing()]));
}

function showLive(isLive) {
  const live = byId("live");
  live.className = isLive ? "live" : "lost";
  live.textContent = WORDS[state.language][isLive ? "live" : "reconnecting"];
}

function translate() {
  const words = WORDS[state.language];
  document.documentElement.lang = state.language;
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = words[node.dataset.word];
  byId("search").placeholder = words.search;
  byId("search").setAttribute("aria-label", words.search);
  byId("theme").setAttribute("aria-label", words.theme);
  byId("theme").title = words.theme;
  byId("language").textContent = words.other;
  showLive(byId("live").className === "live");
}

function choosePhone(phone) {
  state.phone = phone;
  refresh();
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

function listen() {
  const events = new EventSource("/_simulator/events");
  events.onopen = () => showLive(true);
  events.onerror = () => {
    showLive(false);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
  events.onmessage = refresh;
}

for (const tab of TABS) {
  byId(`tab-${tab}`).addEventListener("click", () => {
    state.tab = tab;
    show();
  });
}
byId("search").addEventListener("input", refresh);
byId("clear").addEventListener("click", () => byId("confirm").showModal());
byId("confirm").addEventListener("close", async () => {
  if (byId("confirm").returnValue === "yes") {
    await fetch("/_simulator/clear", { method: "POST" });
    state.phone = null;
    refresh();
  }
});
byId("language").addEventListener("click", () => {
  state.language = state.language === "en" ? "ru" : "en";
  localStorage.setItem("language", state.language);
  translate();
  refresh();
});
byId("theme").addEventListener("click", () => {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const shown = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
  setTheme(shown === "dark" ? "light" : "dark");
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});

setTheme(state.theme);
translate();
refresh();
listen();
