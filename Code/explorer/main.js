// The page: what is shown where, and what follows when something is moved, picked or drawn.

const NEIGHBOURS = 8;
const SIDES = ["first", "second"];
const DRAWS = 200; // of the prior, on the map
const COPIES = 40; // of the digit, with noise
const JUDGES = 20; // digits on which the effect of a unit is measured
const element = (id) => document.getElementById(id);

/** Unpack everything, then put the page to work. */
async function start() {
  translate();
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
  document.body.classList.add("ready"); // shown before it is measured

  const digit = makeDigit(explorer);
  const planes = setUpPlanes(explorer, models, digit);
  const units = data.sliders.length ? setUpUnits(explorer, models, digit) : null;
  const views = setUpViews(units, () => story.tell());
  const story = makeStory(
    (step) => {
      views.show(step.view);
      planes.enter(step);
    },
    planes.values,
    () =>
      units && !element("view-units").hidden
        ? say("units_story", { units: units.number })
        : null,
  );
  setUpPad(explorer, digit);
  setUpNoise(explorer, digit);
  setUpLanguages(() => {
    planes.translate();
    units?.translate();
    digit.tell();
    story.tell();
  });
  digit.onChange(() => story.tell());
  planes.onModel(() => story.tell());
  Object.defineProperty(explorer, "step", { get: () => story.step });
  digit.take(0);
  story.go(0);
  explorer.ready = true;
}

/** Say something to those who listen to the page. */
function announce(words) {
  element("said").textContent = words;
}

const digitAt = (index) => Number(data.labels[index]);

// The digit: a test digit or a drawing, and the noise on it; all parts of the page follow it --------

function makeDigit(explorer) {
  const followers = [];
  let seed = 1;
  const digit = {
    index: 0, // of the test digit, or null for a drawing
    image: null,
    sigma: Number(element("sigma").value),
    onChange: (follow) => followers.push(follow),
    tell: () => followers.forEach((follow) => follow()),

    take(index) {
      explorer.picked = index;
      set(index, explorer.pictureOf(index));
    },

    /** A drawing; null, once the pad is cleared, for the test digit before it. */
    draw(image) {
      explorer.drawn = image && Array.from(image);
      if (image) set(null, image);
      else if (digit.index === null) digit.take(explorer.picked);
    },

    addNoise(sigma) {
      digit.sigma = sigma;
      digit.tell();
    },

    renewNoise() {
      seed += COPIES;
      digit.tell();
    },

    /** The digit with noise; each copy has its own. */
    noisy: (copy = 0) => withNoise(digit.image, digit.sigma, normals(PIXELS, seed + copy)),
  };

  function set(index, image) {
    [digit.index, digit.image] = [index, image];
    digit.tell();
  }

  element("start").addEventListener("change", ({ target }) => {
    if (target.value) digit.take(data.labels.indexOf(target.value));
  });
  return digit;
}

// Two planes beside each other --------------------------------------------------------------------

function setUpPlanes(explorer, models, digit) {
  const labels = Array.from(data.labels, Number);
  const prior = normals(2 * DRAWS, 1);
  const followers = [];
  const holes = {}; // by model, since each takes a moment
  const spreads = {};
  let shown = []; // names of layers
  let active = "second"; // the map whose neighbours are shown
  const names = Object.fromEntries(SIDES.map((side) => [side, element(`model-${side}`).value]));
  const maps = Object.fromEntries(SIDES.map((side) => [side, setUpMap(side)]));

  const codesOf = (side) => models[names[side]].codes;
  const holeOf = (side) => (holes[names[side]] ??= largestHole(codesOf(side)));
  const spreadOn = (side) => (spreads[names[side]] ??= spreadOf(codesOf(side)));
  const placeOn = (side) => explorer.encode(names[side], digit.image);
  const copies = () => Array.from({ length: COPIES }, (_, copy) => digit.noisy(copy));
  const codesOfCopies = (side, images) =>
    Float32Array.from(images.flatMap((image) => Array.from(explorer.encode(names[side], image))));

  function setUpMap(side) {
    const map = makeMap(element(`map-${side}`), {
      onMove: (place) => showCursor(side, place),
      onPick: (place) => {
        active = side;
        const [nearest] = map.nearest(place);
        if (nearest === undefined) return;
        digit.take(nearest);
        const neighbours = explorer.neighbours.map(digitAt).join(", ");
        announce(say("picked_said", { digit: digitAt(nearest), neighbours }));
      },
    });
    const follow = {
      nearer: () => map.zoom(2),
      farther: () => map.zoom(1 / 2),
      whole: map.goHome,
      wide: () => widen(side),
    };
    for (const button of element(`plane-${side}`).querySelectorAll("[data-zoom]"))
      button.addEventListener("click", follow[button.dataset.zoom]);
    element(`model-${side}`).addEventListener("change", ({ target }) => choose(side, target.value));
    return map;
  }

  /** On a narrow screen: one map over the whole width, the other above it; the same again undoes. */
  function widen(side) {
    for (const other of SIDES) {
      const plane = element(`plane-${other}`);
      const wide = other === side && !plane.classList.contains("wide");
      plane.classList.toggle("wide", wide);
      plane.querySelector("[data-zoom=wide]").setAttribute("aria-pressed", wide);
    }
  }

  function showCursor(side, [x, y]) {
    paint(element(`decoded-${side}`), explorer.decode(names[side], Float32Array.of(x, y)));
    const place = `(${inWords(x, 2)}, ${inWords(y, 2)})`;
    element(`place-${side}`).textContent = place;
    element(`map-${side}`).setAttribute("aria-description", say("cursor_at", { place }));
  }

  /** The digit on both maps, its reconstructions, and its neighbours on one. */
  function showDigit() {
    const { index, image } = digit;
    paint(element("original"), image);
    for (const side of SIDES) {
      const place = Array.from(placeOn(side));
      paint(element(`by-${side}`), explorer.decode(names[side], Float32Array.from(place)));
      const mark = index === null ? { place } : { place, digit: digitAt(index) };
      const nearest = side === active ? maps[side].nearest(place, true) : [];
      const neighbours = nearest.filter((i) => i !== index).slice(0, NEIGHBOURS);
      if (side === active) explorer.neighbours = neighbours;
      maps[side].mark({ current: mark, neighbours });
    }
    showNeighbours();
    showLayers();
    element("digit-name").textContent =
      index === null
        ? say("drawn_name")
        : say("picked_name", { digit: digitAt(index), number: data.numbers[index] });
  }

  function showNeighbours() {
    element("near").textContent = say("near", { side: say(active === "first" ? "left" : "right") });
    for (const [k, button] of document.querySelectorAll("#neighbours button").entries()) {
      const neighbour = explorer.neighbours[k];
      paint(button.querySelector("canvas"), explorer.pictureOf(neighbour));
      button.querySelector("span").textContent = digitAt(neighbour);
      const words = { number: k + 1, digit: digitAt(neighbour) };
      button.setAttribute("aria-label", say("neighbour", words));
    }
  }

  /** What lies on the maps above the dots, as the buttons under them say. */
  function showLayers() {
    const images = shown.includes("noise") ? copies() : null;
    for (const side of SIDES) {
      maps[side].mark({
        hole: shown.includes("hole") ? holeOf(side) : null,
        draws: shown.includes("prior") ? prior : null,
        copies: images && codesOfCopies(side, images),
      });
      element(`draws-${side}`).hidden = !shown.includes("prior");
      if (shown.includes("prior")) showDraws(side);
    }
    for (const button of document.querySelectorAll("[data-layer]"))
      button.setAttribute("aria-pressed", shown.includes(button.dataset.layer));
  }

  function showDraws(side) {
    for (const [k, canvas] of element(`draws-${side}`).querySelectorAll("canvas").entries())
      paint(canvas, explorer.decode(names[side], prior.slice(2 * k, 2 * k + 2)));
  }

  /** Show a model on one side. */
  function choose(side, name) {
    names[side] = name;
    explorer.planes = { ...names };
    maps[side].show(codesOf(side), labels, data.numbers.length);
    element(`about-${side}`).href = data.about[language][name];
    if (digit.image) {
      showDigit();
      maps[side].moveTo(...placeOn(side));
    }
    followers.forEach((follow) => follow());
  }

  /** What the numbers and names in a step's text are now. */
  const values = (step) => {
    const both = (name, of) => ({ [`first_${name}`]: of("first"), [`second_${name}`]: of("second") });
    if (step === "plane") return { first: nameOf(names.first), second: nameOf(names.second) };
    if (step === "hole") return both("share", (side) => inPercent(holeOf(side).share));
    if (step === "prior")
      return { draws: DRAWS, ...both("std", (side) => inWords(spreadOn(side), 1)) };
    if (step === "noise") {
      const images = copies();
      const off = (side) => distanceFrom(placeOn(side), codesOfCopies(side, images));
      const share = (side) => inPercent(off(side) / spreadOn(side));
      const words = { copies: COPIES, sigma: inWords(digit.sigma, 2), draw: say("draw") };
      return { ...words, ...both("moved", share) };
    }
    return { view_units: say("view_units") };
  };

  /** A step of the story begins: its layers, and the cursor where there is something to see. */
  function enter({ name, layers }) {
    shown = [...layers];
    showLayers();
    for (const side of SIDES) {
      const hole = name === "hole" && holeOf(side);
      maps[side].goHome();
      maps[side].moveTo(...(hole ? [hole.x, hole.y] : placeOn(side)));
    }
  }

  for (const button of document.querySelectorAll("[data-layer]"))
    button.addEventListener("click", () => {
      const { layer } = button.dataset;
      shown = shown.includes(layer) ? shown.filter((one) => one !== layer) : [...shown, layer];
      showLayers();
    });
  document.querySelectorAll("#neighbours button").forEach((button, k) =>
    button.addEventListener("click", () => {
      const index = explorer.neighbours[k];
      maps[active].moveTo(...maps[active].placeOf(index));
      digit.take(index);
    }),
  );
  setUpLegend(Object.values(maps));
  Object.defineProperty(explorer, "cursors", {
    get: () => Object.fromEntries(SIDES.map((side) => [side, maps[side].cursor])),
  });
  explorer.holeOf = holeOf;
  SIDES.forEach((side) => choose(side, names[side]));
  digit.onChange(showDigit);
  return {
    enter,
    values,
    onModel: (follow) => followers.push(follow),
    translate() {
      for (const side of SIDES) {
        element(`about-${side}`).href = data.about[language][names[side]];
        showCursor(side, maps[side].cursor);
      }
    },
  };
}

/** The legend: a digit's entry shows that digit only, the same again shows all. */
function setUpLegend(maps) {
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
      maps.forEach((map) => map.showOnly(all ? null : Number(digit)));
    });
}

// The pad, and the noise --------------------------------------------------------------------------

function setUpPad(explorer, digit) {
  const pad = makePad(element("pad"), element("pen"), (image) => {
    element("pad-hint").hidden = Boolean(image);
    element("clear").hidden = !image;
    digit.draw(image);
  });
  element("clear").hidden = true;
  element("clear").addEventListener("click", pad.clear);
  // A test digit is taken instead: the pad does not keep another one
  digit.onChange(() => digit.index !== null && explorer.drawn && pad.clear());
}

function setUpNoise(explorer, digit) {
  function show() {
    const noisy = digit.noisy();
    paint(element("noisy"), noisy);
    element("sigma-value").textContent = inWords(digit.sigma, 2);
    if (!data.denoiser) return;
    const denoised = explorer.reconstruct(data.denoiser, noisy);
    paint(element("denoised"), denoised);
    const decibels = (image) => inWords(psnr(digit.image, image), 1);
    const words = { noisy: digit.sigma ? decibels(noisy) : "∞", denoised: decibels(denoised) };
    element("gain").textContent = say("gain", words);
    element("denoiser").textContent = say("denoiser", { title: nameOf(data.denoiser) });
  }

  element("sigma").addEventListener("input", ({ target }) => digit.addNoise(Number(target.value)));
  element("renew").addEventListener("click", digit.renewNoise);
  digit.onChange(show);
}

// Sixteen units -----------------------------------------------------------------------------------

function setUpUnits(explorer, models, digit) {
  const choice = element("model-units");
  const effects = {}; // by model, since they take a moment
  let name = choice.value;
  let open = false;
  const n = models[name].decoder[0].inputs;
  const decode = (code) => explorer.decode(name, code);
  const sliders = makeSliders(element("sliders"), n, show);

  function show(code) {
    paint(element("slid"), decode(code));
    sliders.showEnds(decode);
  }

  function set(code) {
    sliders.set(code);
    show(code);
  }

  const back = () => open && set(explorer.encode(name, digit.image));

  /** Judge the units on the first pictured digits, of which all kinds are among. */
  function measured() {
    const codes = Array.from({ length: JUDGES }, (_, i) =>
      explorer.encode(name, explorer.pictureOf(i)),
    );
    return effectsOf(decode, codes, models[name].ranges);
  }

  function choose() {
    name = choice.value;
    effects[name] ??= measured();
    explorer.effects = effects[name];
    explorer.order = sliders.arrange(models[name].ranges, effects[name]);
    element("random").hidden = !models[name].prior;
    back();
  }

  choice.addEventListener("change", choose);
  element("from-digit").addEventListener("click", back);
  let drawn = 0;
  element("random").addEventListener("click", () => set(normals(n, (drawn += 1))));
  digit.onChange(back);
  Object.defineProperty(explorer, "slid", { get: () => sliders.code });
  sliders.translate();
  return {
    number: n,
    translate: sliders.translate,

    /** The view is opened: only then its units are measured. */
    show() {
      open = true;
      choose();
    },
  };
}

/** The two views beside the digit. */
function setUpViews(units, tell) {
  const buttons = [...document.querySelectorAll("[data-view]")];
  function show(view) {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", button.dataset.view === view);
      element(`view-${button.dataset.view}`).hidden = button.dataset.view !== view;
    }
    if (view === "units") units?.show();
  }
  for (const button of buttons)
    button.addEventListener("click", () => {
      show(button.dataset.view);
      tell();
    });
  return { show };
}

start().catch((error) => {
  element("loading").textContent = say("too_old", { reason: error.message });
  document.body.classList.remove("ready");
  console.error(error);
});
