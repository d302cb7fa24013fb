// Digits: images of 28 × 28 intensities between 0 (paper) and 1 (ink), and how they are shown.

const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** The images in the page's PNG, one a row: a function from an index to its intensities. */
async function unpackPictures(text) {
  const picture = await createImageBitmap(new Blob([bytesOf(text)], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return (index) => {
    const first = 4 * PIXELS * index;
    return Float32Array.from({ length: PIXELS }, (_, p) => data[first + 4 * p] / 255);
  };
}

/** Show an image on a canvas of 28 × 28, dark ink on white; without an image, leave it blank. */
function paint(canvas, image) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, SIDE, SIDE);
  if (!image) return;
  const shown = context.createImageData(SIDE, SIDE);
  for (let p = 0; p < PIXELS; p++) {
    shown.data.fill(255 - Math.round(255 * image[p]), 4 * p, 4 * p + 3);
    shown.data[4 * p + 3] = 255;
  }
  context.putImageData(shown, 0, 0);
}

/** Numbers from the standard normal distribution (Box and Muller's way), the same for a seed. */
function normals(n, seed) {
  let state = seed >>> 0;
  // Mulberry32: enough for pictures, and the same on every visit
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from(
    { length: n },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** An image with noise of standard deviation σ, clipped to what a pixel can be. */
const withNoise = (image, sigma, noise) =>
  image.map((v, p) => Math.min(1, Math.max(0, v + sigma * noise[p])));

/** PSNR in dB of an image against the clean one: peak 1 over the mean squared error. */
function psnr(clean, image) {
  const error = clean.reduce((sum, v, p) => sum + (v - image[p]) ** 2, 0) / clean.length;
  return 10 * Math.log10(1 / error);
}
