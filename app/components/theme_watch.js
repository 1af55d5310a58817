// Reports a change of the theme: Streamlit puts the new colours in place without running the page, and
// figures take theirs when it runs. A transition of the background ends each time the colour changes.
export default function ({ parentElement, setTriggerValue }) {
  const probe = parentElement.querySelector(".probe");
  probe.ontransitionend = () => setTriggerValue("changed", true);
}
