// Networks: chains of dense layers, y = g(x W + b), unpacked from text and run on typed arrays.
// The build joins this file and the others into one module, in the order that page.py gives.

/** The number that 16 bits mean: 1 of sign, 5 of exponent, 10 of fraction (IEEE 754 binary16). */
function halfNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 25) * (1024 + fraction) : sign * 2 ** -24 * fraction;
}

/** All float16 numbers by their bits: looking up is faster than computing. */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => halfNumber(bits));

/** The bytes that the build deflated and wrote as base64. */
async function inflate(text) {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The numbers behind a text: their low bytes come first, then their high ones. */
async function numbersOf(text) {
  const bytes = await inflate(text);
  const n = bytes.length / 2;
  const numbers = new Float32Array(n);
  for (let i = 0; i < n; i++) numbers[i] = HALVES[bytes[i] | (bytes[n + i] << 8)];
  return numbers;
}

/** A network from its packed form: an array of {inputs, units, kernel, bias, activation}. */
async function unpackNetwork(packed) {
  const numbers = await numbersOf(packed.weights);
  let at = 0;
  /** The next n numbers; where each is the sum of two parts, the second parts follow the first. */
  function next(n, parts) {
    const sum = numbers.subarray(at, (at += n));
    for (let p = 1; p < parts; p++) for (let i = 0; i < n; i++) sum[i] += numbers[at++];
    return sum;
  }
  return packed.layers.map(([inputs, units, activation, parts]) => ({
    inputs,
    units,
    activation,
    kernel: next(inputs * units, parts),
    bias: next(units, parts),
  }));
}

/** What is done to a layer's sums, in place. */
const ACTIVATIONS = {
  linear: () => {},
  relu: (y) => y.forEach((v, u) => v < 0 && (y[u] = 0)),
  sigmoid: (y) => y.forEach((v, u) => (y[u] = 1 / (1 + Math.exp(-v)))),
  tanh: (y) => y.forEach((v, u) => (y[u] = Math.tanh(v))),
  softmax: (y) => {
    const top = Math.max(...y);
    const sum = y.reduce((total, v) => total + Math.exp(v - top), 0);
    y.forEach((v, u) => (y[u] = Math.exp(v - top) / sum));
  },
};

/** One layer. Inputs that are 0, as paper is and half of what relu leaves, cost nothing. */
function runLayer({ inputs, units, kernel, bias, activation }, x) {
  const y = Float32Array.from(bias);
  for (let i = 0; i < inputs; i++) {
    const weight = x[i];
    if (weight === 0) continue;
    const row = i * units;
    for (let u = 0; u < units; u++) y[u] += weight * kernel[row + u];
  }
  ACTIVATIONS[activation](y);
  return y;
}

/** What a network makes of a vector. */
function runNetwork(network, x) {
  return network.reduce((h, layer) => runLayer(layer, h), x);
}
