// The page: what is shown where, and what follows when something is moved, picked or drawn.

const NEIGHBOURS = 8;
const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);

/** Unpack everything, then put the page to work. */
async function start() {
  const pictureOf = await unpackPictures(data.pictures);
  const models = {};
  for (const [name, packed] of Object.entries(data.models))
    models[name] = {
      ...packed,
      encoder: await unpackNetwork(packed.encoder),
      decoder: await unpackNetwork(packed.decoder),
      codes: packed.codes && (await unpackGrid(packed.codes)),
    };
  const explorer = { lastDecodeMs: 0, pictureOf };
  explorer.encode = (name, image) => runNetwork(models[name].encoder, image);
  explorer.decode = (name, code) => {
    const begun = performance.now();
    const image = runNetwork(models[name].decoder, code);
    explorer.lastDecodeMs = performance.now() - begun;
    return image;
  };
  explorer.reconstruct = (name, image) => explorer.decode(name, explorer.encode(name, image));
  window.explorer = explorer;

  const onPick = [];
  setUpPlane(explorer, models, onPick);
  if (data.sliders.length) setUpSliders(explorer, models, onPick);
  onPick.forEach((follow) => follow());
  explorer.ready = true;
  document.body.classList.add("ready");
}

/** The digit of a dot. */
const digitOf = (index) => Number(data.labels[index]);

/** Call a function with the value of the radio button that is chosen. */
function onChoice(name, follow) {
  for (const radio of document.querySelectorAll(`input[name="${name}"]`))
    radio.addEventListener("change", () => follow(radio.value));
}

/** Say something to those who listen to the page. */
function announce(words) {
  element("said").textContent = words;
}

// The plane and the pad: both belong to the two-dimensional model that is chosen -----------------

function setUpPlane(explorer, models, onPick) {
  const labels = Array.from(data.labels, Number);
  let name = data.planes[0];
  let drawn = null; // the image on the pad

  const map = makeMap(element("map"), {
    onMove: showCursor,
    onPick: (place) => {
      const [nearest] = map.nearest(place);
      if (nearest !== undefined) pick(nearest);
    },
  });

  function showCursor([x, y]) {
    paint(element("decoded"), explorer.decode(name, Float32Array.of(x, y)));
    const words = [x, y].map((v) => inWords(v, 2));
    element("place").textContent = `(${words.join(", ")})`;
    element("speed").textContent = `decoded in ${explorer.lastDecodeMs.toFixed(1)} ms`;
    element("map").setAttribute("aria-description", `cursor at ${words.join(", ")}`);
  }

  function pick(index) {
    explorer.picked = index;
    showPicked();
    announce(`A ${digitOf(index)}. Its neighbours: ${explorer.neighbours.map(digitOf).join(", ")}.`);
    onPick.forEach((follow) => follow());
  }

  function showPicked() {
    const index = explorer.picked;
    const image = explorer.pictureOf(index);
    const place = map.placeOf(index);
    explorer.neighbours = map.nearest(place, true).filter((i) => i !== index).slice(0, NEIGHBOURS);
    paint(element("picked"), image);
    paint(element("reconstructed"), explorer.reconstruct(name, image));
    element("picked-name").textContent = `a ${digitOf(index)}, test image ${data.numbers[index]}`;
    for (const [k, button] of document.querySelectorAll("#neighbours button").entries()) {
      const neighbour = explorer.neighbours[k];
      paint(button.querySelector("canvas"), explorer.pictureOf(neighbour));
      button.querySelector("span").textContent = digitOf(neighbour);
      button.setAttribute("aria-label", `neighbour ${k + 1}: a ${digitOf(neighbour)}; pick it`);
    }
    map.mark({ picked: index, neighbours: explorer.neighbours });
  }

  function showDrawn() {
    explorer.drawn = drawn && Array.from(explorer.encode(name, drawn));
    paint(element("seen"), drawn);
    paint(element("drawn-reconstructed"), drawn && explorer.decode(name, explorer.drawn));
    if (data.denoiser) paint(element("denoised"), drawn && explorer.reconstruct(data.denoiser, drawn));
    element("pad-hint").hidden = Boolean(drawn);
    map.mark({ drawn: explorer.drawn });
  }

  /** Show a model: its map, and with it what was picked and drawn before. */
  function choose(newName) {
    name = explorer.plane = newName;
    map.show(models[name].codes, labels, data.numbers.length);
    showPicked();
    showDrawn();
    map.moveTo(...map.placeOf(explorer.picked));
  }

  const pad = makePad(element("pad"), element("pen"), (image) => {
    drawn = image;
    showDrawn();
  });
  element("clear").addEventListener("click", pad.clear);
  element("nearer").addEventListener("click", () => map.zoom(2));
  element("farther").addEventListener("click", () => map.zoom(1 / 2));
  element("whole").addEventListener("click", () => map.zoom(1 / CLOSEST));
  document.querySelectorAll("#neighbours button").forEach((button, k) =>
    button.addEventListener("click", () => {
      const index = explorer.neighbours[k];
      map.moveTo(...map.placeOf(index));
      pick(index);
    }),
  );
  setUpLegend(map);
  onChoice("plane", choose);
  Object.defineProperty(explorer, "cursor", { get: () => map.cursor });
  explorer.picked = 0;
  choose(name);
}

/** The legend: a digit's entry shows that digit only, the same again shows all. */
function setUpLegend(map) {
  const entries = [...document.querySelectorAll("#legend button")];
  for (const entry of entries)
    entry.addEventListener("click", () => {
      const digit = entry.dataset.digit;
      const all = digit === "all" || entry.getAttribute("aria-pressed") === "true";
      for (const other of entries) {
        const chosen = other.dataset.digit === (all ? "all" : digit);
        other.setAttribute("aria-pressed", chosen);
      }
      element("legend").classList.toggle("one", !all);
      map.showOnly(all ? null : Number(digit));
    });
}

// Sixteen units -----------------------------------------------------------------------------------

function setUpSliders(explorer, models, onPick) {
  let name = data.sliders[0];
  const n = models[name].decoder[0].inputs;
  const sliders = makeSliders(element("sliders"), n, show);

  function show(code) {
    paint(element("slid"), explorer.decode(name, code));
  }

  function set(code) {
    sliders.set(code);
    show(code);
  }

  function choose(newName) {
    name = newName;
    sliders.setRanges(models[name].ranges);
    element("draw").hidden = !models[name].prior;
    startAt(explorer.picked);
  }

  const startAt = (index) => set(explorer.encode(name, explorer.pictureOf(index)));

  /** A number from the standard normal distribution (Box and Muller's way). */
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

  element("draw").addEventListener("click", () => set(Float32Array.from({ length: n }, normal)));
  element("from-picked").addEventListener("click", () => startAt(explorer.picked));
  element("from-digit").addEventListener("change", (event) => {
    if (event.target.value) startAt(data.labels.indexOf(event.target.value));
  });
  onPick.push(() => paint(element("slider-picked"), explorer.pictureOf(explorer.picked)));
  onChoice("slider", choose);
  Object.defineProperty(explorer, "slid", { get: () => sliders.code });
  choose(name);
}

start().catch((error) => {
  element("loading").textContent = `This page needs a browser of 2023 or later (${error.message}).`;
  console.error(error);
});
