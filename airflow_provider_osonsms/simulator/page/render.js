// Makes elements from the answers of the simulator. A text becomes a text node, never HTML.
import { WORDS } from "/_simulator/page/words.js";

const ICONS = {
  ENROUTE: "→", ACCEPTED: "✓", DELIVERED: "✓✓", EXPIRED: "⌛", DELETED: "✕", UNDELIVERABLE: "✕", UNKNOWN: "?", REJECTED: "✕",
};

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function time(iso, language) {
  const moment = new Date(iso);
  const options = { timeStyle: "medium", hourCycle: "h23", timeZone: "Asia/Dushanbe" };
  return element("time", { datetime: iso, title: iso }, moment.toLocaleTimeString(language, options));
}

function day(iso, language) {
  const options = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23", timeZone: "Asia/Dushanbe" };
  return element("time", { datetime: iso, title: iso }, new Date(iso).toLocaleString(language, options));
}

function statusOf(status) {
  return element("span", { class: `status ${status.toLowerCase()}` }, `${ICONS[status] ?? "·"} ${status}`);
}

export function renderAccounts(accounts, language) {
  const words = WORDS[language];
  return accounts.map((account) =>
    element("span", { class: account.is_blocked ? "account blocked" : "account" },
      element("b", {}, account.login), " ",
      element("span", { class: "balance" }, account.balance.toFixed(2)), ` ${words.somoni}`,
      account.is_blocked ? ` · ${words.blocked}` : "",
      element("small", {}, ` ${account.senders.join(", ")} · ${account.price.toFixed(2)} ${words.price}`)));
}

export function renderHandsets(answer, chosen, language, choose) {
  const button = (phone, label, count) =>
    element("button", { type: "button", "aria-pressed": String(phone === chosen), onclick: () => choose(phone) },
      element("span", {}, label), element("span", { class: "count" }, String(count)));
  return [
    button(null, WORDS[language].all, answer.totals.messages),
    ...answer.handsets.map((handset) => button(handset.phone, `+${handset.phone}`, handset.messages)),
  ];
}

export function renderMessage(message, language) {
  const words = WORDS[language];
  const body = message.is_confidential
    ? element("p", { class: "text hidden-text" }, `🔒 ${words.confidential}`)
    : element("p", { class: "text" }, message.text);
  const steps = message.history.map((step) =>
    element("li", {}, statusOf(step.status), " ", time(step.at, language)));
  return element("article", { class: "message", "data-id": message.msg_id },
    element("div", { class: "head" },
      element("b", { class: "sender" }, message.sender), ` → +${message.phone}`,
      element("span", { class: "when" }, time(message.accepted_at, language))),
    body,
    element("div", { class: "foot" }, statusOf(message.status),
      element("span", {}, `${message.parts} ${message.parts === 1 ? words.part : words.parts}`),
      message.channel ? element("span", { class: "channel" }, message.channel) : "",
      element("span", { class: "id" }, `msg_id ${message.msg_id} · txn_id ${message.txn_id}`)),
    element("ol", { class: "history" }, ...steps));
}

export function renderBulk(job, language) {
  const words = WORDS[language];
  const rest = job.numbers - job.phones.length;
  return element("article", { class: "bulk" },
    element("div", { class: "head" }, element("b", {}, job.name), ` · ${words.from} ${job.sender}`,
      element("span", { class: "when" }, `${words.created} `, day(job.created_at, language))),
    element("p", { class: "text" }, job.text),
    element("div", { class: "foot" },
      element("span", { class: "send-at" }, `${words.sendAt} `, day(job.send_at, language)),
      element("span", {}, `${job.numbers} ${words.numbers}`),
      job.ignored ? element("span", {}, `${job.ignored} ${words.ignored}`) : "",
      element("span", { class: "id" }, `txn_id ${job.txn_id}`)),
    element("p", { class: "phones" }, job.phones.map((phone) => `+${phone}`).join(", "),
      rest ? ` ${words.more.replace("{n}", rest)}` : ""));
}

export function renderRefusal(refusal, language) {
  const words = WORDS[language];
  const title = refusal.code === null ? `HTTP ${refusal.http_status}` : `${words.code} ${refusal.code}`;
  return element("article", { class: "refusal" },
    element("div", { class: "head" }, element("b", {}, title), ` · ${words.calls[refusal.call]}`,
      element("span", { class: "when" }, time(refusal.at, language))),
    element("p", { class: "reason" }, refusal.reason),
    element("p", { class: "advice" }, element("b", {}, `${words.whatToDo}: `), refusal.advice),
    element("div", { class: "foot" },
      refusal.login ? element("span", {}, `${words.login} ${refusal.login}`) : "",
      refusal.txn_id ? element("span", { class: "id" }, `txn_id ${refusal.txn_id}`) : ""));
}

export function renderEmpty(answer, language) {
  const words = WORDS[language];
  const [account] = answer.accounts;
  const connection = {
    conn_type: "osonsms", host: location.origin, port: Number(location.port || 80), login: account.login,
    password: "SECRET", extra: { sender: account.senders[0] ?? "", bulk_url: location.origin },
  };
  const json = JSON.stringify(connection, null, 2).replaceAll("'", "'\\''");
  const command = `airflow connections add osonsms_default --conn-json '${json}'`;
  return element("div", { class: "empty" }, element("h2", {}, words.emptyTitle), element("p", {}, words.emptyMessages),
    element("pre", {}, command));
}
