// Copies the address of this page with the given parameters; where the clipboard is closed, shows it instead.
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  const link = `${window.location.origin}${window.location.pathname}?${data.query}`;
  button.textContent = "Copy link";
  button.dataset.link = link;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link);
      button.textContent = "Copied";
    } catch {
      window.prompt("Copy this link", link);
    }
    window.setTimeout(() => (button.textContent = "Copy link"), 2000);
  };
}
