// Weights travel in half precision and are computed with in single precision.

/** float16, as bits -> float32. Exact: every half is a single. */
export function expand(halves) {
  const table = tableOfHalves();
  const singles = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) singles[i] = table[halves[i]];
  return singles;
}

/** All 65,536 halves by their bits: one sign bit, five of exponent, ten of fraction. */
function tableOfHalves() {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let size;
    if (exponent === 31) size = fraction ? NaN : Infinity;
    else if (exponent === 0) size = fraction * 2 ** -24;
    else size = (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits & 32768 ? -size : size;
  }
  return table;
}
