// Where words stand: one system as wide as the stage, several below each other as in a score, or prose.
// Widths come from outside, in px at a font size of FONT; nothing here touches the page.

export const FONT = 16;
export const LEAST_FONT = 12; // px
const LARGEST_FONT = 20, WRAPPED_FONT = 14; // px
const GAP = 6; // px between two words, at least
const LEAST = 9; // px: a comma's column, still to be hit
export const MOST_IN_ROWS = 60; // tokens; beyond, the text is prose and its rows have bars without words

/**
 * Columns for the words of the rows.
 *
 * @param widths of all tokens, at FONT px.
 * @param room width of a row, px.
 * @param most systems: 1 allows no wrapping.
 * @param largest font, px: rows that are not high have room for small words only.
 * @returns {font, systems: [{first, columns: [{x, width}]}]}, or null if more systems would be needed.
 */
export function systems(widths, room, most = Infinity, largest = FONT) {
  const needed = (font) => widths.reduce((sum, width) => sum + column(width, font) + GAP, 0);
  for (let font = Math.min(largest, LARGEST_FONT); font >= LEAST_FONT; font -= 0.5)
    if (needed(font) <= room) return { font, systems: [spread(widths, 0, room, font)] };
  const lines = wrap(widths.map((width) => Math.min(room, column(width, WRAPPED_FONT) + GAP)), room);
  if (lines.length > most) return null;
  let first = 0;
  const found = lines.map((count) => {
    const system = spread(widths.slice(first, first + count), first, room, WRAPPED_FONT, lines.length === 1);
    first += count;
    return system;
  });
  return { font: WRAPPED_FONT, systems: found };
}

/** Equal columns without words: bars only. */
export function bars(tokens, room) {
  const width = room / tokens;
  const gap = width > 6 ? 1.5 : width > 3 ? 0.75 : 0;
  const columns = Array.from({ length: tokens }, (_, token) => ({ x: token * width, width: width - gap }));
  return { font: 0, systems: [{ first: 0, columns }] };
}

/** How many tokens go into each line, so that all lines are about equally long. */
export function wrap(widths, room) {
  const all = widths.reduce((sum, width) => sum + width, 0);
  for (let lines = Math.max(1, Math.ceil(all / room)); ; lines += 1) {
    const found = fill(widths, Math.min(room, all / lines + Math.max(...widths) / 2));
    if (found.length <= lines || lines >= widths.length) return found;
  }
}

function fill(widths, room) {
  const lines = [];
  let used = Infinity;
  for (const width of widths) {
    if (used + width > room) {
      lines.push(0);
      used = 0;
    }
    lines[lines.length - 1] += 1;
    used += width;
  }
  return lines;
}

function column(width, font) {
  return Math.max(LEAST, (width * font) / FONT);
}

/** Columns from left to right; what is left of the room goes between them, up to a point. */
function spread(widths, first, room, font) {
  const columns = widths.map((width) => Math.min(room - GAP, column(width, font)));
  const used = columns.reduce((sum, width) => sum + width, 0);
  const gap = Math.min(4 * GAP, (room - used) / columns.length);
  let x = gap / 2;
  return {
    first,
    columns: columns.map((width) => {
      const at = { x, width };
      x += width + gap;
      return at;
    }),
  };
}

/**
 * Lines of prose: for each token {x, line}, greedy from left to right. `glued` tokens take no space before and begin no line, unless
 * they are part of a word that is longer than one.
 */
export function prose(widths, glued, room, space) {
  const whole = widths.slice(); // of a token with those that are glued to it
  for (let token = widths.length - 1; token > 0; token -= 1) if (glued[token]) whole[token - 1] += whole[token];
  let [x, line] = [0, 0];
  return widths.map((width, token) => {
    const before = x === 0 || glued[token] ? 0 : space;
    const needed = glued[token] || whole[token] > room ? width : whole[token];
    if (x > 0 && x + before + needed > room) [x, line] = [0, line + 1];
    else x += before;
    const at = { x, line };
    x += width;
    return at;
  });
}

/** The middle of something `size` px high that wants to be at `y`, kept inside a row. */
export function inside(y, size, top, height) {
  return Math.max(top + size / 2, Math.min(top + height - size / 2, y));
}

/** The index of the least distance, or -1 where that is beyond reach: of two lines close to each other the nearer one is meant. */
export function nearest(distances, reach) {
  const least = Math.min(...distances);
  return least <= reach ? distances.indexOf(least) : -1;
}
