// How the stage takes the room that it has: margins, where words stand, how high a row is. The one place that decides it.
// Nothing here touches the page; all is in px of the drawing, which a large view shows larger.

import { bars, FONT, LEAST_FONT, MOST_IN_ROWS, systems } from "./layout.js";
import { PROSE_FONT, proseHeight } from "./prose.js";
import { margins, SEGMENTS, SYSTEM_GAP } from "./rows.js";

const SMALLER = 0.1; // a large view is tried smaller by this much, down to the usual size
const UNFIT = 1.4; // how large a view is that does not fit anyway: one scrolls, and can read it
const NEARLY = 0.9; // of the largest words: worth the rest being larger
const DEEP = 8; // layers: with more of them rows may be low
const BIG_SCREEN = 1400, LARGE_FONT = 20; // px: on a projector words are larger
const NARROW_SCREEN = 640; // px: below, a text of more than one system is prose
const LOW = 31, HIGH = 46, BARS = 30; // px a row takes at least: of many, of few, without words
const MOST = 100, MOST_BARS = 64; // px a row takes at most
const WRAPPED = 6; // px more for each row of a text in several systems
const WORDS = 0.42, WORDS_LOW = 0.32; // of a row's height is for a word at most, and of a low one's: the rest is for its bar
export const TOP = 2; // px above all rows
const END = 6; // px below them

/** Whether a model has so many layers that rows are low. */
export function isDeep(layers) {
  return layers > DEEP;
}

/**
 * The layout for a room.
 *
 * @param text {layers, widths, proseWidths, glued, pair, curves, grid}: widths of the tokens at FONT px and of the pieces as prose;
 *   whether there are two texts, room for curves, words in the rows of a long text.
 * @param room {width, height, zoom}: px, and how much larger it is shown.
 * @returns {margin, arrangement, prose, height, bottom, inView, long}: `prose` px of the text above the rows, 0 for none; `height` px
 *   of a row; `bottom` where all ends; `long` whether the text is too long for words in the rows.
 */
export function layout(text, room) {
  const { width } = room;
  const wide = margins(width, text.curves), tight = margins(width, text.curves, true);
  const free = (room.height - TOP - END - (text.pair ? SEGMENTS : 0)) / text.layers - wide.caption;
  const font = largest(text.layers, free, width * room.zoom);
  const words = (margin) => inRows(text, lane(width, margin), font, width);
  let [margin, arrangement] = [wide, words(wide)];
  if (arrangement?.systems.length > 1) [margin, arrangement] = [tight, words(tight)];
  const long = arrangement === null;
  if (long && text.grid) [margin, arrangement] = [tight, systems(text.widths, lane(width, tight))];
  if (long && !text.grid) arrangement = bars(text.widths.length, lane(width, wide));
  const prose = arrangement.font === 0 ? proseHeight(text.proseWidths, text.glued, width) : 0;
  const rows = rowHeight(text, arrangement, room.height - TOP - END - prose, margin);
  const bottom = TOP + prose + rows.all + END;
  return { margin, arrangement, prose, height: rows.height, bottom, inView: bottom <= room.height, long };
}

/** The sizes to try for a view that may be so large. */
export function sizes(most) {
  const found = [];
  for (let size = most; size > 1; size = Math.round((size - SMALLER) * 100) / 100) found.push(size);
  return [...found, 1];
}

/**
 * Of layouts at several sizes, the largest first, the one to take: the largest of which all is in view, unless a smaller one has
 * clearly larger words, as margins then take less of a row; words in the rows rather than prose. Where none is in view, one that
 * can be read, and one scrolls.
 *
 * @param tried [{zoom, plan}].
 */
export function choose(tried) {
  const seen = tried.filter(({ plan }) => plan.inView);
  const rows = seen.filter(({ plan }) => !plan.long);
  const wanted = rows.length ? rows : seen;
  if (!wanted.length) return tried.find(({ zoom }) => zoom <= UNFIT) ?? tried.at(-1);
  const size = ({ zoom, plan }) => zoom * (plan.arrangement.font || PROSE_FONT);
  const largest = Math.max(...wanted.map(size));
  return wanted.find((each) => size(each) >= NEARLY * largest);
}

function lane(width, { left, handle, curve, rail }) {
  return width - left - handle - curve - rail;
}

function inRows({ widths }, room, font, width) {
  return widths.length <= MOST_IN_ROWS ? systems(widths, room, width < NARROW_SCREEN ? 1 : Infinity, font) : null;
}

/** Large words need high rows and a large screen. */
function largest(layers, free, width) {
  const high = Math.max(isDeep(layers) ? LOW : HIGH, Math.min(MOST, free));
  const most = Math.max(LEAST_FONT, Math.round(high * (isDeep(layers) ? WORDS_LOW : WORDS)));
  return Math.min(width > BIG_SCREEN ? LARGE_FONT : FONT, most);
}

/** As high as lets all rows be in view, within limits. */
function rowHeight({ layers, pair }, { font, systems: lines }, room, { caption }) {
  const withWords = font > 0;
  const least = (withWords ? (isDeep(layers) ? LOW : HIGH) : BARS) + caption;
  const most = lines.length > 1 ? least + WRAPPED : withWords ? MOST : MOST_BARS;
  const others = lines.length * (pair ? SEGMENTS : 0) + (lines.length - 1) * SYSTEM_GAP;
  const height = Math.floor(Math.max(least, Math.min(most, (room - others) / (layers * lines.length))));
  return { height, all: others + layers * lines.length * height };
}
