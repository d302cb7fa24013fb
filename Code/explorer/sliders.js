// The sliders: one a unit of the code, with its value beside it.

/**
 * Make sliders for a code of n units.
 * @param {HTMLElement} list where they go
 * @param {number} n
 * @param {function(Float32Array)} onInput told of the code after a slider was moved
 */
function makeSliders(list, n, onInput) {
  let code = new Float32Array(n);
  const rows = Array.from({ length: n }, (_, unit) => {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = unit + 1;
    const input = document.createElement("input");
    input.type = "range";
    input.step = "any";
    input.setAttribute("aria-label", `code unit ${unit + 1}`);
    const value = document.createElement("output");
    label.append(name, input, value);
    list.append(label);
    input.addEventListener("input", () => {
      code[unit] = Number(input.value);
      tell(unit);
      onInput(code);
    });
    // Chrome's arrow keys make no sensible step where any value is allowed
    input.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!way) return;
      input.value = Number(input.value) + (way * (input.max - input.min)) / 40;
      input.dispatchEvent(new Event("input"));
      event.preventDefault();
    });
    return { input, value };
  });

  /** The number is the code's own; the slider stops at the end of its range. */
  function tell(unit) {
    const words = inWords(code[unit], 1);
    rows[unit].value.textContent = words;
    rows[unit].input.setAttribute("aria-valuetext", words);
  }

  return {
    /** Give the sliders their ends, [low, high] a unit. */
    setRanges(ranges) {
      rows.forEach(({ input }, unit) => ([input.min, input.max] = ranges[unit]));
    },

    /** Move the sliders to a code. */
    set(newCode) {
      code = Float32Array.from(newCode);
      rows.forEach(({ input }, unit) => {
        input.value = code[unit];
        tell(unit);
      });
    },

    get code() {
      return Array.from(code);
    },
  };
}
