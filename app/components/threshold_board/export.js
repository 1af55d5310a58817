// Figures as files, made in the visitor's browser: nothing is sent anywhere.

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "visibility", "display"];

/** One SVG drawing, on its own, with its styles written into it. */
function standalone(svgs, title, background) {
  const box = svgs[0].getBoundingClientRect();
  const [width, height] = [Math.ceil(box.width), Math.ceil(box.height)];
  const name = "http://www.w3.org/2000/svg";
  const root = document.createElementNS(name, "svg");
  for (const [key, value] of Object.entries({ xmlns: name, width, height, viewBox: `0 0 ${width} ${height}` }))
    root.setAttribute(key, value);
  root.append(document.createElementNS(name, "title"), document.createElementNS(name, "rect"));
  root.firstChild.textContent = title;
  for (const [key, value] of Object.entries({ width, height, fill: background }))
    root.lastChild.setAttribute(key, value);
  for (const svg of svgs) {
    const copy = svg.cloneNode(true);
    copyStyles(svg, copy);
    copy.removeAttribute("style");
    root.append(copy);
  }
  return { text: new XMLSerializer().serializeToString(root), width, height };
}

function copyStyles(from, to) {
  if (from instanceof SVGGraphicsElement) {
    const computed = getComputedStyle(from);
    for (const name of STYLES) to.style.setProperty(name, computed.getPropertyValue(name));
  }
  for (let index = 0; index < from.children.length; index += 1) copyStyles(from.children[index], to.children[index]);
}

/** The ground that a figure stands on: the nearest one that is not transparent. */
function groundOf(element) {
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
    const colour = at instanceof Element ? getComputedStyle(at).backgroundColor : "";
    if (colour && !/^rgba\(.*, 0\)$|^transparent$/.test(colour)) return colour;
  }
  return "white";
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Say whose button it is: all are called SVG or PNG. */
function nameButton(button, format, title) {
  button.setAttribute("aria-label", `${format.toUpperCase()}: ${title}`);
}

/** Save drawings that lie on top of each other as NAME.svg or NAME.png (twice as large, for print). */
async function saveFigure(svgs, title, name, format) {
  const { text, width, height } = standalone(svgs, title, groundOf(svgs[0]));
  const drawing = new Blob([text], { type: "image/svg+xml" });
  if (format === "svg") return download(drawing, `${name}.svg`);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * 2, height * 2];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => download(blob, `${name}.png`), "image/png");
}
