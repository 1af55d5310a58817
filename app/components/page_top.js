// Scrolls to the top when something else is shown than before. What a visit begins with is left alone: there the
// browser knows where a reader was.
export default function ({ data }) {
  const last = document.documentElement.dataset;
  const before = last[data.key];
  last[data.key] = data.shown;
  if (before !== undefined && before !== data.shown) document.querySelector(".stMain")?.scrollTo(0, 0);
}
