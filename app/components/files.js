// Figures and tables as files, made in the visitor's browser: nothing is sent anywhere. A picture has its title above
// and its legend below.

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "text-decoration", "visibility", "display"];
const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 16, TITLE = { size: 18, weight: 650 }, NOTE = { size: 13, weight: 400 }; // px

/**
 * Drawings that lie on top of each other as one SVG, on its own, with its styles written into it.
 *
 * @param svgs the drawings.
 * @param about {title, notes, legend}: notes are lines; legend are {swatch, text}, swatch a colour.
 */
export function standalone(svgs, { title, notes = [], legend = [] }) {
  const box = svgs[0].getBoundingClientRect();
  const ink = getComputedStyle(svgs[0]).color;
  const width = Math.ceil(box.width) + 2 * MARGIN;
  const root = element("svg", { xmlns: SVG, width });
  element("title", {}, root).textContent = title;
  const ground = element("rect", { width, fill: groundOf(svgs[0]) }, root);
  let y = lines(root, wrapped(title, TITLE, width - 2 * MARGIN), TITLE, ink, MARGIN);
  for (const svg of svgs) {
    const copy = svg.cloneNode(true);
    copyStyles(svg, copy);
    copy.removeAttribute("style");
    for (const [key, value] of Object.entries({ x: MARGIN, y: y + 8, width: Math.ceil(box.width) }))
      copy.setAttribute(key, value);
    root.append(copy);
  }
  y += 8 + Math.ceil(box.height) + 12;
  for (const note of notes) y = lines(root, wrapped(note, NOTE, width - 2 * MARGIN), NOTE, ink, y);
  y = keys(root, legend, ink, width, y + 4);
  const height = Math.ceil(y + MARGIN);
  ground.setAttribute("height", height);
  root.setAttribute("height", height);
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { text: new XMLSerializer().serializeToString(root), width, height };
}

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

function font({ size, weight }) {
  return { "font-family": "Source Sans, Source Sans 3, sans-serif", "font-size": size, "font-weight": weight };
}

function textWidth(text, { size, weight }) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `${weight} ${size}px "Source Sans", sans-serif`;
  return context.measureText(text).width;
}

function wrapped(text, style, room) {
  const found = [""];
  for (const word of text.split(" ")) {
    const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (found.at(-1) && textWidth(longer, style) > room) found.push(word);
    else found[found.length - 1] = longer;
  }
  return found;
}

/** Write lines from `y` on -> the y below them. */
function lines(root, texts, style, fill, y) {
  for (const text of texts) {
    y += style.size * 1.3;
    element("text", { x: MARGIN, y: y - style.size * 0.3, fill, ...font(style) }, root).textContent = text;
  }
  return y;
}

function keys(root, legend, ink, width, y) {
  let x = MARGIN;
  const step = NOTE.size * 1.6;
  for (const { swatch, text } of legend) {
    const wide = textWidth(text, NOTE) + 40;
    if (x > MARGIN && x + wide > width) [x, y] = [MARGIN, y + step];
    element("rect", { x, y: y + 3, width: 12, height: 10, rx: 2, fill: swatch }, root);
    element("text", { x: x + 18, y: y + 13, fill: ink, ...font(NOTE) }, root).textContent = text;
    x += wide;
  }
  return legend.length ? y + step : y;
}

function copyStyles(from, to) {
  if (from instanceof SVGGraphicsElement) {
    const computed = getComputedStyle(from);
    for (const name of STYLES) to.style.setProperty(name, computed.getPropertyValue(name));
  }
  for (let index = 0; index < from.children.length; index += 1) copyStyles(from.children[index], to.children[index]);
}

/** The ground that a figure stands on: the nearest one that is not transparent. */
function groundOf(start) {
  for (let at = start; at; at = at.parentElement ?? at.getRootNode().host) {
    const colour = at instanceof Element ? getComputedStyle(at).backgroundColor : "";
    if (colour && !/^rgba\(.*, 0\)$|^transparent$/.test(colour)) return colour;
  }
  return "white";
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Say whose button it is: all are called SVG or PNG. */
export function nameButton(button, format, title) {
  button.setAttribute("aria-label", `${format.toUpperCase()}: ${title}`);
}

/** Save drawings as NAME.svg or NAME.png (twice as large, for print); `about` as `standalone` takes it. */
export async function saveFigure(svgs, about, name, format) {
  const { text, width, height } = standalone(svgs, about);
  if (format === "svg") return download(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * 2, height * 2];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => download(blob, `${name}.png`), "image/png");
}
