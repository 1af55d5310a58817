// Small helpers for drawings. Text goes in as text, never as markup.

export function svgElement(name, attributes, parent, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

/** Set what differs: touching an attribute costs a style pass even where it stays the same. */
export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes))
    if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value);
}

export function shorten(text, limit) {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("")}…`;
}

/** Widths in px of texts in the stage's font. */
export function measured(texts, size, family, weight = 400) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `${weight} ${size}px ${family}`;
  return texts.map((text) => context.measureText(text).width);
}
