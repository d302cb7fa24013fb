// The pad: a digit drawn with a pointer or with keys, brought into the form of MNIST's.

const PAD = 280;
const STROKE = 22;
const KEY_STEP = 10; // how far a key moves the pen
const BOX = 20; // MNIST's digits fit into 20 × 20 of the 28 × 28 …
const LARGEST_SCALE = 0.2; // … but a dot is not blown up to a blot
const CENTRE = 14; // the pixel, counted from 0, on which their centres of mass lie

/**
 * Reduce ink to 28 × 28: its longer side to 20 pixels, its centre of mass to the image's centre.
 * Each pixel of the pad gives its ink to the four nearest of the image, by area.
 * @param {Uint8ClampedArray} rgba of the pad; the ink is in its alpha
 * @returns {?Float32Array} intensities, or null if there is no ink
 */
function reduceInk(rgba) {
  let [left, right, top, bottom] = [PAD, -1, PAD, -1];
  let [mass, across, down] = [0, 0, 0];
  for (let y = 0; y < PAD; y++)
    for (let x = 0; x < PAD; x++) {
      const ink = rgba[4 * (y * PAD + x) + 3];
      if (!ink) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      mass += ink;
      across += ink * x;
      down += ink * y;
    }
  if (!mass) return null;
  const scale = Math.min(BOX / Math.max(right - left + 1, bottom - top + 1), LARGEST_SCALE);
  const image = new Float32Array(PIXELS);
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const ink = (rgba[4 * (y * PAD + x) + 3] / 255) * scale * scale;
      const from = (v, middle) => CENTRE + (v - middle / mass) * scale;
      if (ink) share(image, from(x, across), from(y, down), ink);
    }
  return image.map((v) => Math.min(v, 1));
}

/** Give ink to the four pixels around a place, the nearer the more. */
function share(image, x, y, ink) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  for (const [r, part] of [[row, 1 - (y - row)], [row + 1, y - row]])
    for (const [c, piece] of [[column, 1 - (x - column)], [column + 1, x - column]])
      if (r >= 0 && r < SIDE && c >= 0 && c < SIDE) image[r * SIDE + c] += ink * part * piece;
}

/**
 * Make a canvas a pad.
 * @param {HTMLCanvasElement} canvas of 280 × 280
 * @param {HTMLElement} pen shows where the pen of the keyboard is
 * @param {function(?Float32Array)} onChange told of the reduced image, null when cleared
 */
function makePad(canvas, pen, onChange) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let last = null; // where the pointer's stroke is, or null while it is up
  let place = [PAD / 2, PAD / 4]; // where the keyboard's pen is
  let penDown = false;
  let waiting = false;

  function report() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      onChange(reduceInk(context.getImageData(0, 0, PAD, PAD).data));
    });
  }

  /** Ink from one place to another; a dot if they are the same. */
  function stroke(from, to) {
    context.lineWidth = STROKE;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    report();
  }

  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    const across = (event.clientX - box.left - canvas.clientLeft) / canvas.clientWidth;
    const down = (event.clientY - box.top - canvas.clientTop) / canvas.clientHeight;
    return [across * PAD, down * PAD];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    last = placeOf(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    // A quick hand moves far between two pictures of the screen: take all places in between
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const next = placeOf(one);
      stroke(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => (last = null));

  function showPen() {
    pen.style.left = `${(100 * place[0]) / PAD}%`;
    pen.style.top = `${(100 * place[1]) / PAD}%`;
    pen.classList.toggle("down", penDown);
  }

  function clear() {
    context.clearRect(0, 0, PAD, PAD);
    penDown = false;
    showPen();
    onChange(null);
  }

  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      const next = place.map((v, axis) => Math.min(Math.max(v + KEY_STEP * move[axis], 0), PAD));
      if (penDown) stroke(place, next);
      place = next;
    } else if (event.key === " ") {
      penDown = !penDown;
      if (penDown) stroke(place, place);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    showPen();
    event.preventDefault();
  });
  showPen();
  return { clear };
}
