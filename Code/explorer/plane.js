// Planes: what can be measured of codes [x₀, y₀, x₁, …] in a plane.

const GRID = 60; // places a side that may be the middle of a hole
const MARGIN = 0.1; // the share of codes beyond either end of those places
const NEARBY = 4; // radii of a hole within which its surroundings are
const SURROUNDED = Math.PI / 2; // no wider gap in the directions in which a hole has dots

/** The q-th quantile of one axis. */
function quantile(codes, axis, q) {
  const values = codes.filter((_, i) => i % 2 === axis).sort();
  return values[Math.round(q * (values.length - 1))];
}

/** The square around the middle of the codes, from the q-th to the (1 − q)-th quantile. */
function squareOf(codes, q) {
  const [left, right] = [quantile(codes, 0, q), quantile(codes, 0, 1 - q)];
  const [bottom, top] = [quantile(codes, 1, q), quantile(codes, 1, 1 - q)];
  return {
    x: (left + right) / 2,
    y: (bottom + top) / 2,
    half: Math.max(right - left, top - bottom, 1e-6) / 2,
  };
}

/** The distance of a place to its nearest code. */
function emptiness(codes, x, y) {
  let least = Infinity;
  for (let i = 0; i < codes.length; i += 2)
    least = Math.min(least, (codes[i] - x) ** 2 + (codes[i + 1] - y) ** 2);
  return Math.sqrt(least);
}

/** The widest gap in the directions in which codes lie within some distance of a place. */
function widestGap(codes, x, y, within) {
  const angles = [];
  for (let i = 0; i < codes.length; i += 2) {
    const [right, up] = [codes[i] - x, codes[i + 1] - y];
    if (right * right + up * up < within * within) angles.push(Math.atan2(up, right));
  }
  if (!angles.length) return 2 * Math.PI;
  angles.sort((a, b) => a - b);
  const gaps = angles.map((a, k) => (k ? a - angles[k - 1] : a + 2 * Math.PI - angles.at(-1)));
  return Math.max(...gaps);
}

/**
 * The largest circle without a code, among the codes and not beside them: its middle lies where the
 * middle eight tenths of either axis are, and it has codes on all sides.
 * @returns {{x: number, y: number, radius: number, share: number}} share: of the map's half width
 */
function largestHole(codes) {
  const [left, right, bottom, top] = [0, 0, 1, 1].map((axis, k) =>
    quantile(codes, axis, k % 2 ? 1 - MARGIN : MARGIN),
  );
  const places = Array.from({ length: GRID * GRID }, (_, k) => {
    const x = left + ((right - left) * (k % GRID)) / (GRID - 1);
    const y = bottom + ((top - bottom) * Math.floor(k / GRID)) / (GRID - 1);
    return { x, y, radius: emptiness(codes, x, y) };
  });
  places.sort((a, b) => b.radius - a.radius);
  const inside = ({ x, y, radius }) => widestGap(codes, x, y, NEARBY * radius) < SURROUNDED;
  const hole = places.find(inside) ?? places.at(-1);
  return { ...hole, share: hole.radius / squareOf(codes, 0.02).half };
}

/** The standard deviation of the codes: the root of the mean of both axes' variances. */
function spreadOf(codes) {
  const n = codes.length / 2;
  const mean = [0, 0];
  codes.forEach((v, i) => (mean[i % 2] += v / n));
  return Math.sqrt(codes.reduce((sum, v, i) => sum + (v - mean[i % 2]) ** 2, 0) / codes.length);
}

/** How far codes are from a place, as the root of the mean square of an axis. */
function distanceFrom([x, y], codes) {
  const sum = codes.reduce((total, v, i) => total + (v - (i % 2 ? y : x)) ** 2, 0);
  return Math.sqrt(sum / codes.length);
}
