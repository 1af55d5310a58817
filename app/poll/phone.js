// A phone in the poll: shows the question, sends one vote, and the answer once it is out. All texts are written as text.

const LOOKS = 2500; // ms between two looks at the room, and up to as much again by chance: a class does not ask at once
const RIGHT = "right", WRONG = "wrong";
const CHOOSE = ["Choose one", "Choose as many as you like"]; // where one option is right, and where several are
const find = (id) => document.getElementById(id);
const [home, code] = place(window.location.pathname);
let round = null, timer = null, phase = "";

/** The poll's own address and the code in this one: "/poll", "BCDFG". */
function place(path) {
  const parts = path.replace(/\/+$/, "").split("/");
  const at = parts.lastIndexOf("poll");
  return [parts.slice(0, at + 1).join("/"), written(parts[at + 1] ?? "")];
}

/** A code as it is written: people put spaces and hyphens between letters, and use small ones. */
function written(code) {
  return code.replace(/%..|[^a-z0-9]/gi, "").toUpperCase();
}

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${home}/${path}`, options);
  const found = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(found.error ?? "The lab does not answer."), { status: response.status });
  return found;
}

function say(text, wrong = false) {
  const line = find("said");
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("wrong", wrong);
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function show(room) {
  if (room.round !== round) draw(room);
  const voted = room.mine !== null;
  const open = !voted && !room.revealed && !room.full;
  find("choice").disabled = !open;
  find("vote").hidden = !open;
  find("how").textContent = voted ? "Your choice" : open ? CHOOSE[Number(room.several)] : "The choices";
  if (voted) for (const box of find("options").querySelectorAll("input")) box.checked = room.mine.includes(Number(box.value));
  const now = `${room.round} ${voted} ${room.revealed} ${room.full}`;
  if (now === phase) return; // nothing new: nothing is said again
  phase = now;
  find("answer").hidden = !room.revealed;
  if (room.revealed) {
    answer(room);
    say(voted ? "" : "The answer is out.");
  } else if (voted) say("Your vote counts. Now wait for the answer.");
  else say(room.full ? "This poll is full: you can watch, but not vote." : "");
}

/** A new question. */
function draw(room) {
  const first = round === null;
  round = room.round;
  find("join").hidden = true;
  find("poll").hidden = false;
  find("asks").textContent = room.asks;
  find("about").textContent = room.about;
  for (const id of ["options", "results"]) find(id).className = room.several ? "words" : "";
  find("options").replaceChildren(...room.options.map((option, index) => {
    const label = element("label"), box = element("input");
    Object.assign(box, { type: room.several ? "checkbox" : "radio", name: "option", value: String(index), required: !room.several });
    label.append(box, element("span", option));
    return label;
  }));
  if (!first) find("asks").focus();
}

function answer(room) {
  const right = new Set(room.right);
  find("verdict").textContent = verdict(room, right);
  find("results").replaceChildren(...room.options.map((option, index) => {
    const line = element("li", undefined, right.has(index) ? RIGHT : WRONG);
    const bar = Object.assign(element("progress"), { max: Math.max(1, room.votes), value: room.counts[index] });
    bar.setAttribute("aria-hidden", "true");
    const mark = `${right.has(index) ? "✓ " : ""}${room.counts[index]} of ${room.votes}`;
    line.append(element("span", option, "option"), element("span", mark, "mark"), bar);
    return line;
  }));
}

function verdict(room, right) {
  const named = room.options.filter((_, index) => right.has(index));
  const said = room.several ? `${right.size} of ${room.options.length} are right, marked ✓.` : `${named.join(", ")}.`;
  if (room.mine === null) return said;
  if (!room.several) return right.has(room.mine[0]) ? `You were right: ${said}` : `It is: ${said}`;
  const agree = room.options.filter((_, index) => room.mine.includes(index) === right.has(index)).length;
  return `${said} You were right about ${agree} of ${room.options.length}.`;
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return; // visibilitychange looks again
  try {
    show(await ask(`${code}/now`));
    timer = setTimeout(look, LOOKS * (1 + Math.random()));
  } catch (error) {
    if (error.status === 404) return over(error.message);
    say("No answer from the lab; trying again …", true);
    timer = setTimeout(look, 2 * LOOKS * (1 + Math.random()));
  }
}

function over(message) {
  for (const id of ["poll", "answer"]) find(id).hidden = true;
  find("code").value = code; // to be mended where a letter is wrong, or typed over
  join();
  say(message, true);
}

function join() {
  find("join").hidden = false;
  find("code").focus();
  find("code").select();
}

find("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = written(find("code").value);
  if (typed) window.location.assign(`${home}/${typed}`);
  else say("A code has five letters.", true);
});

find("poll").addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = [...find("options").querySelectorAll(":checked")].map((box) => Number(box.value));
  const button = find("vote");
  button.disabled = true;
  try {
    show(await ask(`${code}/vote`, { round, chosen }));
  } catch (error) {
    await look();
    say(error.status ? error.message : "The vote did not arrive: try again.", true);
  } finally {
    button.disabled = false;
  }
});

document.addEventListener("visibilitychange", () => !document.hidden && code && look());
if (code) look();
else join();
