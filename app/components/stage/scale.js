// Shares of attention as heights on a logarithmic axis, and as words. A share is a number from 0 to 1.

export const NBSP = "\u00a0"; // keeps a number and its unit on one line

/** Two digits that mean something: "43 %", "4.3 %", "0.43 %". As `percent` in app/says/words.py. */
export function percent(share) {
  const value = share * 100;
  if (value === 0 || value >= 10) return `${value.toFixed(0)}${NBSP}%`;
  return value >= 1 ? `${value.toFixed(1)}${NBSP}%` : `${Number(value.toPrecision(2))}${NBSP}%`;
}

/** A threshold with three digits, or "off". */
export function thresholdWords(share) {
  return share === 0 ? "off" : `${Number((share * 100).toPrecision(3))}${NBSP}%`;
}

/** A probability in percent; never rounded up to certainty. As in app/says/words.py. */
export function probability(share) {
  if (share > 0.999 && share < 1) return `>${NBSP}99.9${NBSP}%`;
  if (share > 0 && share < 0.001) return `<${NBSP}0.1${NBSP}%`;
  return `${(share * 100).toFixed(1)}${NBSP}%`;
}

/** A number that may be less than zero: "0.12", "−0.12"; never "−0.00". As in app/says/words.py. */
export function number(value, decimals = 2) {
  const size = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(size) > 0 ? `\u2212${size}` : size;
}

/** A ratio: "1.52×". */
export function times(value) {
  return `${value < 1.995 ? value.toFixed(2) : value.toFixed(1)}×`;
}

/** Floating-point operations with three digits: "537 MFLOPs". */
export function flops(count) {
  const units = [["TFLOPs", 1e12], ["GFLOPs", 1e9], ["MFLOPs", 1e6], ["kFLOPs", 1e3], ["FLOPs", 1]];
  const [unit, size] = units.find(([, least]) => count >= least) ?? units.at(-1);
  const value = count / size;
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)}${NBSP}${unit}`;
}

/** Heights for one row: `lowest` at the bottom, 100 % at the top of `height` px, both `margin` inside. */
export class LogScale {
  constructor(lowest, height, margin) {
    this.lowest = lowest;
    this.height = height;
    this.margin = margin;
    this.span = Math.log(1 / lowest);
  }

  /** Distance from the top; what is below the axis lies on the bottom. */
  y(share) {
    const up = share <= this.lowest ? 0 : Math.log(share / this.lowest) / this.span;
    return this.margin + (1 - Math.min(1, up)) * (this.height - 2 * this.margin);
  }

  /** The share at a height, with three digits; 0 at the bottom and below. */
  share(y) {
    const up = 1 - (y - this.margin) / (this.height - 2 * this.margin);
    if (up <= 0) return 0;
    return Number(Math.min(1, this.lowest * Math.exp(up * this.span)).toPrecision(3));
  }
}

/** The lowest share that an axis needs: half of the least that any token gets, or of the average. */
export function lowestShare(dense, tokens) {
  let least = 1 / tokens;
  for (const layer of dense) for (const share of layer) if (share > 0 && share < least) least = share;
  return Math.max(1e-6, least / 2);
}
