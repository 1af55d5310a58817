// One act of a visitor is one entry of the browser's history. Streamlit enters each step of a change of page: the
// old page without its parameters, the new one without, the new one with them. Back would go through these, where
// nobody has been. So only the first entry after an act is a new one, and what follows takes its place.
const ACTS = ["pointerup", "click", "keydown"];

export default function () {
  const { history } = window;
  const { pushState, replaceState } = history;
  const known = document.documentElement.dataset;
  if (known.oneEntry) return; // it outlives the page
  known.oneEntry = "yes";
  let acted = false;
  for (const act of ACTS) window.addEventListener(act, () => (acted = true), true);
  history.pushState = (...entry) => {
    (acted ? pushState : replaceState).apply(history, entry);
    acted = false;
  };
}
