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

/** A number in words: so many decimals, a true minus sign, and no minus before zero. */
function inWords(number, decimals) {
  const words = number.toFixed(decimals);
  return Number(words) ? words.replace("-", "−") : words.replace("-", "");
}
