// Scrolls to the top when the page is another one than before. The first page of a visit is left alone: there the
// browser knows where a reader was.
export default function ({ data }) {
  const root = document.documentElement;
  const before = root.dataset.ltpPage;
  root.dataset.ltpPage = data.page;
  if (before !== undefined && before !== data.page) document.querySelector(".stMain")?.scrollTo(0, 0);
}
