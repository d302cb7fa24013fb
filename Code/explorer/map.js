// The map: one dot a test digit in the plane of the code, a cursor on it, and marks above both.

const CLOSEST = 32; // how many times the map can be enlarged
const EDGE = 0.05; // room around the outermost dots
const OUTLIERS = 0.003; // the share of dots on each side that the first view may leave out

/**
 * Make a canvas a map.
 * @param {HTMLCanvasElement} canvas
 * @param {{onMove: function, onPick: function}} told of the cursor's place [x, y]
 * @returns {object} what can be done with the map; `mark` takes {current: {place, digit} with no
 *   digit for a drawing, neighbours: indices, hole: {x, y, radius}, draws: codes, copies: codes}
 */
function makeMap(canvas, { onMove, onPick }) {
  const context = canvas.getContext("2d");
  const dots = document.createElement("canvas"); // all that stays while the cursor moves
  let codes = new Float32Array(0);
  let labels = [];
  let pictured = 0; // the first so many have a picture, and may be picked
  let only = null; // the one digit that is shown, or null for all
  let cursor = [0, 0];
  let marks = { current: null, neighbours: [], hole: null, draws: null, copies: null };
  let whole = { x: 0, y: 0, half: 1 }; // the square that holds all dots
  let home = whole; // the square that is seen at first
  let view = whole; // the square that is seen
  let waiting = false;

  /** A colour of the style sheet. */
  const ink = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const colourOf = (digit) => ink(`--digit-${digit}`);

  /** From the plane to the canvas, in its own pixels. */
  const toCanvas = (x, y) => [
    (canvas.width / 2) * (1 + (x - view.x) / view.half),
    (canvas.height / 2) * (1 - (y - view.y) / view.half),
  ];

  /** From a pointer to the plane. */
  function toPlane(event) {
    const box = canvas.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    return [view.x + (2 * across - 1) * view.half, view.y + (1 - 2 * down) * view.half];
  }

  const visible = (i) => only === null || labels[i] === only;

  // What stays --------------------------------------------------------------------------------

  function drawDots() {
    dots.width = canvas.width;
    dots.height = canvas.height;
    const pen = dots.getContext("2d");
    const unit = canvas.width / 600;
    const growth = Math.min(2, (whole.half / view.half) ** 0.25) * Math.max(unit, 1);
    ticks(drawGrid(pen));
    const colours = Array.from({ length: 10 }, (_, digit) => colourOf(digit));
    for (const [from, to, radius, alpha] of [
      [pictured, labels.length, 1.3, 0.5],
      [0, pictured, 2.1, 0.9],
    ]) {
      pen.globalAlpha = alpha;
      for (let i = from; i < to; i++) {
        if (!visible(i)) continue;
        const [x, y] = toCanvas(codes[2 * i], codes[2 * i + 1]);
        pen.fillStyle = colours[labels[i]];
        pen.beginPath();
        pen.arc(x, y, radius * growth, 0, 7);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    ticks(drawWords(pen));
    drawNames(pen);
  }

  /** A round distance between ticks: 1, 2 or 5 times a power of ten. */
  function tickStep() {
    const rough = view.half / 2.5;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((m) => m * power >= rough);
  }

  /** Call ``draw(x, y, across, down)`` for the ticks of both axes and where they are. */
  function ticks(draw) {
    const step = tickStep();
    for (let k = -6; k <= 6; k++) {
      const x = step * (Math.round(view.x / step) + k);
      const y = step * (Math.round(view.y / step) + k);
      draw(x, y, toCanvas(x, 0)[0], toCanvas(0, y)[1]);
    }
  }

  function drawGrid(pen) {
    pen.lineWidth = canvas.width / canvas.clientWidth || 1;
    pen.strokeStyle = ink("--grid");
    return (x, y, across, down) => {
      line(pen, across, 0, across, canvas.height);
      line(pen, 0, down, canvas.width, down);
    };
  }

  /** The values of ticks, over the dots and with a rim, so that they can be read among them. */
  function drawWords(pen) {
    const step = tickStep();
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const words = (v) => (Math.abs(v) < step / 2 ? "0" : v.toFixed(decimals).replace("-", "−"));
    const scale = canvas.width / canvas.clientWidth || 1;
    const margin = 26 * scale;
    const write = (text, align, baseline, ...place) => {
      pen.textAlign = align;
      pen.textBaseline = baseline;
      pen.strokeText(text, ...place);
      pen.fillText(text, ...place);
    };
    pen.font = `${11 * scale}px system-ui, sans-serif`;
    pen.lineJoin = "round";
    pen.lineWidth = 3 * scale;
    pen.strokeStyle = ink("--surface");
    pen.fillStyle = ink("--quiet");
    return (x, y, across, down) => {
      if (across > margin && across < canvas.width - margin)
        write(words(x), "center", "bottom", across, canvas.height - 4 * scale);
      if (down > margin && down < canvas.height - margin)
        write(words(y), "left", "middle", 5 * scale, down);
    };
  }

  /** The middle of a digit's dots on the canvas, or null where it has none. */
  function middleOf(digit) {
    const mine = labels.map((_, i) => i).filter((i) => labels[i] === digit && visible(i));
    if (!mine.length) return null;
    const half = mine.length >> 1;
    const middle = (axis) => mine.map((i) => codes[2 * i + axis]).sort((a, b) => a - b)[half];
    return toCanvas(middle(0), middle(1));
  }

  /** Each digit where the middle of its dots is; one that would cover another waits for a zoom. */
  function drawNames(pen) {
    const scale = canvas.width / canvas.clientWidth || 1;
    pen.font = `700 ${17 * scale}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 4 * scale;
    pen.strokeStyle = ink("--surface");
    pen.fillStyle = ink("--ink");
    const named = [];
    for (let digit = 0; digit < 10; digit++) {
      const place = middleOf(digit);
      const free = ([x, y]) => Math.hypot(x - place[0], y - place[1]) > 16 * scale;
      if (!place || !named.every(free)) continue;
      named.push(place);
      pen.strokeText(digit, ...place);
      pen.fillText(digit, ...place);
    }
  }

  // What moves --------------------------------------------------------------------------------

  function line(pen, x1, y1, x2, y2) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }

  /** A ring that stands out from dots of any colour. */
  function ring(place, radius, width, fill) {
    const scale = canvas.width / canvas.clientWidth || 1;
    const [x, y] = toCanvas(...place);
    context.beginPath();
    context.arc(x, y, radius * scale, 0, 7);
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    context.strokeStyle = ink("--surface");
    context.lineWidth = (width + 2) * scale;
    context.stroke();
    context.strokeStyle = ink("--ink");
    context.lineWidth = width * scale;
    context.stroke();
  }

  const placeOf = (i) => [codes[2 * i], codes[2 * i + 1]];

  function drawMarks() {
    const scale = canvas.width / canvas.clientWidth || 1;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(dots, 0, 0);
    const [x, y] = toCanvas(...cursor);
    context.strokeStyle = ink("--quiet");
    context.lineWidth = scale;
    context.globalAlpha = 0.5;
    line(context, x, 0, x, canvas.height);
    line(context, 0, y, canvas.width, y);
    context.globalAlpha = 1;
    if (marks.draws) drawPrior(scale);
    if (marks.copies) drawCopies(scale);
    if (marks.hole) drawHole(scale);
    marks.neighbours.forEach((i) => ring(placeOf(i), 4, 1.2));
    if (marks.current?.digit === undefined) marks.current && drawYours(scale);
    else ring(marks.current.place, 6, 2, colourOf(marks.current.digit));
    ring(cursor, 8, 1.6);
  }

  /** A circle of the plane, in ink on a wider line of the ground. */
  function circle(x, y, radius, scale, dash = []) {
    const [across, down] = toCanvas(x, y);
    context.setLineDash(dash.map((v) => v * scale));
    for (const [colour, width] of [["--surface", 5], ["--ink", 2]]) {
      context.beginPath();
      context.arc(across, down, (radius / view.half) * (canvas.width / 2), 0, 7);
      context.strokeStyle = ink(colour);
      context.lineWidth = width * scale;
      context.stroke();
    }
    context.setLineDash([]);
  }

  const drawHole = (scale) => circle(marks.hole.x, marks.hole.y, marks.hole.radius, scale);

  /** The prior: rings at one and two standard deviations, and a cross for each draw. */
  function drawPrior(scale) {
    for (const [colour, width] of [["--surface", 3.5], ["--ink", 1.4]]) {
      context.strokeStyle = ink(colour);
      context.lineWidth = width * scale;
      for (let i = 0; i < marks.draws.length; i += 2) {
        const [x, y] = toCanvas(marks.draws[i], marks.draws[i + 1]);
        line(context, x - 3 * scale, y - 3 * scale, x + 3 * scale, y + 3 * scale);
        line(context, x - 3 * scale, y + 3 * scale, x + 3 * scale, y - 3 * scale);
      }
    }
    circle(0, 0, 1, scale, [5, 4]);
    circle(0, 0, 2, scale, [5, 4]);
  }

  /** Noisy copies of the digit: small circles, each on a line from where the digit lies. */
  function drawCopies(scale) {
    const [x, y] = toCanvas(...marks.current.place);
    context.globalAlpha = 0.35;
    context.strokeStyle = ink("--ink");
    context.lineWidth = scale;
    for (let i = 0; i < marks.copies.length; i += 2)
      line(context, x, y, ...toCanvas(marks.copies[i], marks.copies[i + 1]));
    context.globalAlpha = 1;
    for (let i = 0; i < marks.copies.length; i += 2)
      ring([marks.copies[i], marks.copies[i + 1]], 3, 1, ink("--accent"));
  }

  /** Where the digit on the pad lies: a diamond with a name, at the edge if it lies outside. */
  function drawYours(scale) {
    const inside = (v, size) => Math.min(Math.max(v, 10 * scale), size - 10 * scale);
    const [right, down] = toCanvas(...marks.current.place);
    const [x, y] = [inside(right, canvas.width), inside(down, canvas.height)];
    context.save();
    context.translate(x, y);
    context.rotate(Math.PI / 4);
    context.fillStyle = ink("--accent");
    context.strokeStyle = ink("--surface");
    context.lineWidth = 2 * scale;
    context.fillRect(-6 * scale, -6 * scale, 12 * scale, 12 * scale);
    context.strokeRect(-6 * scale, -6 * scale, 12 * scale, 12 * scale);
    context.restore();
    context.font = `600 ${13 * scale}px system-ui, sans-serif`;
    context.textAlign = x > canvas.width / 2 ? "right" : "left";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4 * scale;
    context.strokeStyle = ink("--surface");
    context.fillStyle = ink("--ink");
    const beside = x + (x > canvas.width / 2 ? -14 : 14) * scale;
    context.strokeText(say("yours"), beside, y);
    context.fillText(say("yours"), beside, y);
  }

  /** Draw once before the next picture of the screen, however often it is asked for. */
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawMarks();
    });
  }

  function redrawAll() {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const side = Math.round(canvas.clientWidth * scale);
    if (!side) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    drawDots();
    redraw();
  }

  // The cursor and the part that is seen --------------------------------------------------------

  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  /** The part around a centre, moved so that it ends where the whole map does. */
  function setView(x, y, half) {
    const room = whole.half - half;
    view = {
      x: clamp(x, whole.x - room, whole.x + room),
      y: clamp(y, whole.y - room, whole.y + room),
      half,
    };
  }

  /** Move the cursor; the part that is seen follows it. */
  function moveTo(x, y) {
    cursor = [
      clamp(x, whole.x - whole.half, whole.x + whole.half),
      clamp(y, whole.y - whole.half, whole.y + whole.half),
    ];
    const past = (c, v) => c - clamp(c, v - view.half, v + view.half);
    const [right, up] = [past(cursor[0], view.x), past(cursor[1], view.y)];
    if (right || up) {
      setView(view.x + right, view.y + up, view.half);
      drawDots();
    }
    redraw();
    onMove(cursor);
  }

  /** Enlarge around the cursor, which stays where it is on the screen. */
  function zoom(factor) {
    const half = clamp(view.half / factor, whole.half / CLOSEST, whole.half);
    const shrunk = half / view.half;
    setView(
      cursor[0] + (view.x - cursor[0]) * shrunk,
      cursor[1] + (view.y - cursor[1]) * shrunk,
      half,
    );
    redrawAll();
  }

  function goHome() {
    setView(home.x, home.y, home.half);
    moveTo(...cursor);
    redrawAll();
  }

  function press(event) {
    const step = (event.shiftKey ? 0.2 : 0.025) * view.half;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const others = {
      Enter: () => onPick(cursor),
      " ": () => onPick(cursor),
      "+": () => zoom(2),
      "=": () => zoom(2),
      "-": () => zoom(1 / 2),
      0: goHome,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) moveTo(cursor[0] + step * move[0], cursor[1] + step * move[1]);
    else if (others[event.key]) others[event.key]();
    else return;
    event.preventDefault();
  }

  canvas.addEventListener("keydown", press);
  canvas.addEventListener("pointermove", (event) => moveTo(...toPlane(event)));
  canvas.addEventListener("pointerdown", (event) => moveTo(...toPlane(event)));
  canvas.addEventListener("click", (event) => {
    moveTo(...toPlane(event));
    onPick(cursor);
  });
  new ResizeObserver(redrawAll).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

  return {
    moveTo,
    zoom,
    goHome,

    /** Show other codes, [x₀, y₀, x₁, …], with their digits; the first n have a picture. */
    show(newCodes, newLabels, n) {
      [codes, labels, pictured] = [newCodes, newLabels, n];
      const roomier = (square) => ({ ...square, half: square.half * (1 + EDGE) });
      whole = roomier(squareOf(codes, 0));
      home = roomier(squareOf(codes, OUTLIERS));
      setView(home.x, home.y, Math.min(home.half, whole.half));
      redrawAll();
    },

    /** Show the dots of one digit only, or of all with null. */
    showOnly(digit) {
      only = digit;
      redrawAll();
    },

    /** Mark what is named; what is not named stays. */
    mark(changed) {
      marks = { ...marks, ...changed };
      redraw();
    },

    /** The visible pictured dots by their distance from a place, nearest first. */
    nearest(place, everyDigit = false) {
      const distance = (i) => (codes[2 * i] - place[0]) ** 2 + (codes[2 * i + 1] - place[1]) ** 2;
      return Array.from({ length: pictured }, (_, i) => i)
        .filter((i) => everyDigit || visible(i))
        .map((i) => [distance(i), i])
        .sort((a, b) => a[0] - b[0])
        .map(([, i]) => i);
    },

    placeOf,
    get cursor() {
      return [...cursor];
    },
  };
}
