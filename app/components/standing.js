// What stands in a component's place, from the first call of the component to its end.
//
// Streamlit calls a component anew with each change of its data or of the theme, and ends only the last of these calls, when
// the component goes. But the script comes after the data, and calls that wait for it together begin in any order: Chromium
// answers several `import()` of a script that is loading as it likes. Each call that another one has overtaken is ended right
// after it has begun, within the same task. So a call that is ended at once takes back what it has shown, and what stands there
// ends with the latest of the others.

const places = new WeakMap(); // a component's root -> {thing, calls}

/**
 * Come to a place: to what stands there, or is made now.
 *
 * @param root of the component.
 * @param make called with the root where nothing stands yet -> something with `stop()`.
 * @param show called with the thing: shows this call's data; once more, if a call that began later had been overtaken.
 * @returns what Streamlit has to call at the end.
 */
export function standing(root, make, show) {
  if (!places.has(root)) places.set(root, { thing: make(root), calls: [] });
  const place = places.get(root);
  const call = { show, settled: false };
  place.calls.push(call);
  show(place.thing);
  setTimeout(() => settle(place, call));
  return () => end(root, place, call);
}

/** A call that was not ended at once is the component's last, until the next one comes. */
function settle(place, call) {
  call.settled = true;
  const at = place.calls.indexOf(call);
  if (at > 0) place.calls.splice(0, at);
}

function end(root, place, call) {
  const at = place.calls.indexOf(call);
  if (at < 0) return;
  const latest = at === place.calls.length - 1;
  place.calls.splice(at, 1);
  if (!latest) return;
  const gone = call.settled || root.isConnected === false;
  if (place.calls.length && !gone) return place.calls.at(-1).show(place.thing);
  places.delete(root);
  place.thing.stop();
}
