// A sentence of buttons: each press takes the next of three states. Arrow keys go from word to word.
const STATES = ["free", "stay", "go"];
const NAMES = { free: "free", stay: "always stays", go: "always goes" };

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".words");
  root.setAttribute("aria-label", "The sentence: press a word to hold it, again to take it away, again to free it");
  const states = data.tokens.map((_, place) =>
    data.stay.includes(place) ? "stay" : data.go.includes(place) ? "go" : "free");

  const positions = (state) => states.flatMap((one, place) => (one === state ? [place] : []));
  const report = () => setTriggerValue("states", { stay: positions("stay"), go: positions("go") });

  if (root.dataset.tokens !== JSON.stringify(data.tokens)) {
    root.dataset.tokens = JSON.stringify(data.tokens);
    root.replaceChildren(...data.tokens.map((_, place) => make(place)));
  }
  const words = [...root.children];
  words.forEach((word, place) => draw(word, place));
  root.onclick = (event) => {
    const word = event.target.closest("button");
    if (!word) return;
    const place = words.indexOf(word);
    states[place] = STATES[(STATES.indexOf(states[place]) + 1) % STATES.length];
    draw(word, place);
    report();
  };
  root.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const place = words.indexOf(parentElement.activeElement ?? document.activeElement?.shadowRoot?.activeElement);
    const from = place < 0 ? words.indexOf(event.target.closest("button")) : place;
    if (!step || from < 0) return;
    const next = words[from + step];
    if (next instanceof HTMLButtonElement) {
      next.focus();
      event.preventDefault();
    }
  };

  function make(place) {
    const word = document.createElement(place === 0 ? "span" : "button");
    if (place === 0) word.className = "fixed";
    else word.type = "button";
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = data.tokens[place];
    const mark = document.createElement("span");
    mark.className = "mark";
    word.append(text, mark);
    return word;
  }

  function draw(word, place) {
    const leaves = data.leaves[place];
    const fate = leaves === null ? "stays" : `leaves in layer ${leaves}`;
    const short = leaves === null ? "stays" : `layer ${leaves}`;
    word.querySelector(".mark").textContent = states[place] === "free" ? short : NAMES[states[place]];
    if (place === 0) return;
    word.className = states[place];
    word.setAttribute("aria-label", `${data.tokens[place]}: ${NAMES[states[place]]}, ${fate}`);
  }
}
