// The sliders: one a unit of the code, the unit that changes the image most first, and what the unit
// does beside it: the image at its low and at its high end.

/** How much an image changes: the root of the mean square over its pixels. */
const changeOf = (a, b) =>
  Math.sqrt(a.reduce((sum, v, p) => sum + (v - b[p]) ** 2, 0) / a.length);

/** A code with one unit at another value. */
const moved = (code, unit, value) => code.map((v, u) => (u === unit ? value : v));

/**
 * What each unit does to images, on average over some codes.
 * @param {function(Float32Array): Float32Array} decode
 * @param {Float32Array[]} codes
 * @param {number[][]} ranges [low, high] of each unit
 * @returns {number[]} the mean change of an image from a unit's low to its high end
 */
function effectsOf(decode, codes, ranges) {
  return ranges.map(([low, high], unit) => {
    const changes = codes.map((code) =>
      changeOf(decode(moved(code, unit, low)), decode(moved(code, unit, high))),
    );
    return changes.reduce((sum, v) => sum + v, 0) / changes.length;
  });
}

/**
 * Make sliders for a code of n units.
 * @param {HTMLElement} list where they go
 * @param {number} n
 * @param {function(Float32Array)} onInput told of the code after a slider was moved
 */
function makeSliders(list, n, onInput) {
  let code = new Float32Array(n);
  let ranges = Array.from({ length: n }, () => [-1, 1]);
  const rows = Array.from({ length: n }, (_, unit) => {
    const row = document.createElement("div");
    row.className = "unit";
    const name = document.createElement("span");
    const effect = document.createElement("span");
    effect.className = "quiet";
    const input = document.createElement("input");
    input.type = "range";
    input.step = "any";
    const value = document.createElement("output");
    const ends = [0, 1].map((end) => {
      const button = document.createElement("button");
      button.type = "button";
      const canvas = document.createElement("canvas");
      canvas.className = "digit";
      canvas.width = canvas.height = SIDE;
      button.append(canvas);
      button.addEventListener("click", () => move(unit, ranges[unit][end]));
      return { button, canvas };
    });
    row.append(ends[0].button, name, effect, ends[1].button, input, value);
    input.addEventListener("input", () => move(unit, Number(input.value)));
    // Chrome's arrow keys make no sensible step where any value is allowed
    input.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!way) return;
      const [low, high] = ranges[unit];
      move(unit, Math.min(high, Math.max(low, code[unit] + (way * (high - low)) / 40)));
      event.preventDefault();
    });
    return { row, name, effect, input, value, ends };
  });
  list.replaceChildren(...rows.map(({ row }) => row));

  function move(unit, value) {
    code = moved(code, unit, value);
    tell(unit);
    onInput(code);
  }

  /** The number is the code's own; the slider stops at the end of its range. */
  function tell(unit) {
    const words = inWords(code[unit], 1);
    rows[unit].input.value = code[unit];
    rows[unit].value.textContent = words;
    rows[unit].input.setAttribute("aria-valuetext", words);
  }

  return {
    /** Give the sliders their ends, [low, high] a unit, and their order: the largest effect first. */
    arrange(newRanges, effects) {
      ranges = newRanges;
      rows.forEach(({ input, effect }, unit) => {
        [input.min, input.max] = ranges[unit];
        effect.textContent = inWords(effects[unit], 2);
      });
      const order = rows.map((_, unit) => unit).sort((a, b) => effects[b] - effects[a]);
      list.replaceChildren(...order.map((unit) => rows[unit].row));
      return order;
    },

    /** Move the sliders to a code. */
    set(newCode) {
      code = Float32Array.from(newCode);
      rows.forEach((_, unit) => tell(unit));
    },

    /** Show what the units do to the present code. */
    showEnds(decode) {
      rows.forEach(({ ends }, unit) =>
        ends.forEach(({ canvas }, end) => paint(canvas, decode(moved(code, unit, ranges[unit][end])))),
      );
    },

    /** Name the sliders in the present language. */
    translate() {
      rows.forEach(({ name, input, ends }, unit) => {
        const words = { unit: unit + 1 };
        name.textContent = say("unit", words);
        input.setAttribute("aria-label", say("unit", words));
        ends[0].button.setAttribute("aria-label", say("unit_low", words));
        ends[1].button.setAttribute("aria-label", say("unit_high", words));
      });
    },

    get code() {
      return Array.from(code);
    },
  };
}
