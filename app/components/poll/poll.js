// The teacher's side of a poll. It asks the lab's own addresses (app/poll/routes.py) and tells the page only which
// question's answer is out. All texts are written as text.

import { standing } from "../standing.js";

const LOOKS = 1000; // ms between two looks at the votes
const STORE = "ltp-poll"; // {code, key} in this browser

export default function ({ parentElement, data, setStateValue }) {
  return standing(parentElement, (root) => new Poll(root), (poll) => {
    poll.tell = setStateValue;
    poll.update(data);
  });
}

class Poll {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.mine = stored();
    this.room = null;
    this.find(".ask").onclick = () => this.ask();
    this.find(".reveal").onclick = () => this.do("reveal");
    this.find(".close").onclick = () => this.close();
    this.find(".counts").onclick = () => {
      this.counts = !this.counts;
      this.show();
    };
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  update(data) {
    const other = this.data?.question.name !== data.question.name;
    this.data = data;
    if (other) this.counts = false;
    this.show();
    if (this.timer === undefined) this.look();
  }

  async request(path, body, method = body ? "POST" : "GET") {
    const headers = { "X-Poll-Key": this.mine?.key ?? "" };
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch([this.data.place, ...path].join("/"), { method, headers, body: body && JSON.stringify(body) });
    const found = await response.json().catch(() => ({}));
    if (!response.ok) throw Object.assign(new Error(found.error ?? "The lab does not answer."), { status: response.status });
    return found;
  }

  /** Look at the room again and again, while there is one. */
  async look() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), LOOKS);
    if (!this.mine || this.busy) return;
    try {
      this.take(await this.request([this.mine.code, "room"]));
      this.problem("");
    } catch (error) {
      if (error.status === 404 || error.status === 403) this.forget();
      else this.problem("No answer from the lab; trying again …");
    }
  }

  /** The page's question, in the room that is there or in a new one. */
  async ask() {
    const { origin, question } = this.data;
    await this.work(async () => {
      if (this.room) return this.take(await this.request([this.mine.code, "question"], { question }));
      const { key, ...room } = await this.request([], { origin, question });
      this.mine = { code: room.code, key };
      store(this.mine);
      this.say(`The poll is open. Its code is ${[...room.code].join(" ")}.`);
      return this.take(room);
    });
  }

  async do(what) {
    await this.work(async () => this.take(await this.request([this.mine.code, what], {})));
  }

  async close() {
    if (!window.confirm("End the poll? The code is then no longer valid.")) return;
    await this.work(async () => {
      await this.request([this.mine.code, "close"], {});
      this.forget();
    });
  }

  async work(step) {
    this.busy = true;
    this.show();
    try {
      await step();
      this.problem("");
    } catch (error) {
      if (error.status === 404) this.forget();
      this.problem(error.message);
    } finally {
      this.busy = false;
      this.show();
    }
  }

  take(room) {
    if (this.stopped) return;
    this.room = room;
    const out = room.revealed && this.isOurs ? room.name : null;
    if (out !== this.told) {
      this.told = out;
      this.tell("revealed", out);
      if (out) this.say(`The answer: ${this.rightWords()}. ${room.votes} voted.`);
    }
    this.show();
  }

  forget() {
    this.mine = null;
    this.room = null;
    if (this.told) this.tell("revealed", null); // the page is to ask again, and not to show the answer beside it
    this.told = undefined;
    store(null);
    this.show();
  }

  /** Whether the room is at the page's question. */
  get isOurs() {
    return this.room?.name === this.data.question.name;
  }

  rightWords() {
    const { options, right } = this.data.question;
    return right.map((index) => options[index]).join(", ") || "none";
  }

  show() {
    const { room, find } = this;
    const { asks, options, right, several } = this.data.question;
    const asked = this.isOurs, revealed = asked && room.revealed;
    const box = find(".poll");
    box.classList.toggle("open", Boolean(room));
    box.classList.toggle("revealed", Boolean(revealed));
    find(".asks").textContent = asks;
    find(".ask").textContent = room ? "Ask this now" : "Ask the class";
    find(".ask").hidden = asked;
    find(".before").hidden = Boolean(room);
    find(".reveal").hidden = !asked || revealed;
    find(".counts").hidden = !asked || revealed;
    find(".counts").setAttribute("aria-pressed", String(Boolean(this.counts)));
    find(".close").hidden = !room;
    find(".votes").hidden = !asked;
    find(".way").hidden = !room;
    for (const name of [".ask", ".reveal", ".close"]) find(name).disabled = Boolean(this.busy);
    this.showOptions(options, new Set(revealed ? right : []), several, revealed || (asked && this.counts) ? room : null);
    if (!room) return;
    write(find("[data-testid=poll-count]"), String(asked ? room.votes : 0));
    write(find(".of"), `${room.votes === 1 ? "vote" : "votes"}${room.votes >= room.most ? ": the poll is full" : ""}`);
    write(find(".code"), room.code);
    write(find(".typed"), `${room.typed}, code:`);
    write(find(".left"), left(room.secondsLeft));
    if (find(".qr").getAttribute("src") !== room.qr) {
      find(".qr").hidden = !room.qr;
      if (room.qr) find(".qr").src = room.qr;
      find(".qr").alt = `QR code: ${room.link}`;
    }
  }

  showOptions(options, right, several, counted) {
    const list = this.find(".options");
    const news = JSON.stringify([options, [...right], several, counted?.counts, counted?.votes]);
    if (news === this.listed) return;
    this.listed = news;
    list.className = `options${several ? " words" : ""}`;
    list.replaceChildren(...options.map((option, index) => {
      const line = element("li", right.has(index) ? "right" : ""), name = element("span", "option");
      name.textContent = option;
      line.append(name);
      if (!counted) return line;
      const number = element("span", "number"), track = element("span", "track"), bar = element("i");
      number.textContent = `${right.has(index) ? "✓ " : ""}${counted.counts[index]}`;
      bar.style.width = `${(100 * counted.counts[index]) / Math.max(1, counted.votes)}%`;
      track.append(bar);
      line.append(number, track);
      return line;
    }));
  }

  problem(text) {
    write(this.find(".wrong"), text);
  }

  say(text) {
    write(this.find(".spoken"), text);
  }
}

function element(name, kind = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

/** Only where it is another text: a screen reader would say it again. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function left(seconds) {
  const minutes = Math.ceil(seconds / 60), hours = Math.floor(minutes / 60), rest = minutes % 60;
  return `open for ${[hours && `${hours} h`, (rest || !hours) && `${rest} min`].filter(Boolean).join(" ")} more`;
}

function stored() {
  try {
    const found = JSON.parse(window.localStorage.getItem(STORE));
    return typeof found?.code === "string" && typeof found?.key === "string" ? found : null;
  } catch {
    return null;
  }
}

function store(mine) {
  try {
    if (mine) window.localStorage.setItem(STORE, JSON.stringify(mine));
    else window.localStorage.removeItem(STORE);
  } catch {
    // a browser that keeps nothing: the poll goes on until the page is closed
  }
}
