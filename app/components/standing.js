// What stands in a component's place, from the first call of the component to its end.
//
// Streamlit calls a component anew with each change of its data or of the theme, and ends only the last of these calls, when
// the component goes. But the script comes after the data: of calls that waited for it together, each that another one
// has overtaken is ended after all of them have begun. So what stands there ends with the latest call alone.

const places = new WeakMap(); // a component's root -> {thing, call}

/**
 * Come to a place: what stands there, or is made now, and what Streamlit has to call at the end.
 *
 * @param root of the component.
 * @param make called with the root where nothing stands yet -> something with `stop()`.
 * @returns [thing, end]
 */
export function standing(root, make) {
  if (!places.has(root)) places.set(root, { thing: make(root) });
  const place = places.get(root);
  const call = (place.call = {});
  const end = () => {
    if (places.get(root)?.call !== call) return;
    places.delete(root);
    place.thing.stop();
  };
  return [place.thing, end];
}
