// Networks: chains of dense layers, y = g(x W + b), unpacked from text and run on typed arrays.
// The build joins this file and the others into one module, in the order that page.py gives.

/** The letters of the packed texts, by their value: printable ASCII but for ", \ and <. */
const LETTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  .filter((letter) => !'"\\<'.includes(letter));

/** The bytes behind a text: every two letters are 13 bits, of which the last are not meant; the
 *  first letter says how many. */
function bytesOf(text) {
  const values = new Uint8Array(128);
  LETTERS.forEach((letter, value) => (values[letter.charCodeAt(0)] = value));
  const valueAt = (i) => values[text.charCodeAt(i)];
  const bytes = new Uint8Array((((text.length - 1) / 2) * 13 - valueAt(0)) / 8);
  let [bits, held, at] = [0, 0, 0];
  for (let i = 1; i < text.length; i += 2) {
    // No more than 7 bits are left over from the letters before
    bits = ((bits & 127) << 13) | (valueAt(i) * LETTERS.length + valueAt(i + 1));
    for (held += 13; held >= 8; held -= 8) bytes[at++] = bits >> (held - 8);
  }
  return bytes;
}

/** Undo deflating. */
async function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The whole numbers behind a text: byte by byte from the lowest, the sign in the last bit. */
async function numbersOf(text) {
  const bytes = await inflate(bytesOf(text));
  const n = bytes.length / 4;
  return Int32Array.from({ length: n }, (_, i) => {
    const folded =
      bytes[i] | (bytes[n + i] << 8) | (bytes[2 * n + i] << 16) | (bytes[3 * n + i] << 24);
    return (folded >>> 1) ^ -(folded & 1);
  });
}

/** A network from its packed form: an array of {inputs, units, kernel, bias, activation}. */
async function unpackNetwork(packed) {
  const numbers = await numbersOf(packed.weights);
  let at = 0;
  /** The next n weights, whole multiples of 2^-bits. */
  const next = (n, bits) =>
    Float32Array.from(numbers.subarray(at, (at += n)), (number) => number * 2 ** -bits);
  return packed.layers.map(([inputs, units, activation, bits]) => ({
    inputs,
    units,
    activation,
    kernel: next(inputs * units, bits),
    bias: next(units, bits),
  }));
}

/** Numbers from their packed form, multiples of a step. */
async function unpackGrid({ step, numbers }) {
  return Float32Array.from(await numbersOf(numbers), (number) => number * step);
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
