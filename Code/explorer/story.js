// The story: five steps, each of which puts the page into a state and says what is to be seen.

const STEPS = [
  { name: "plane", layers: [], view: "planes" },
  { name: "hole", layers: ["hole"], view: "planes" },
  { name: "prior", layers: ["prior"], view: "planes" },
  { name: "noise", layers: ["noise"], view: "planes" },
  { name: "yours", layers: [], view: "planes" },
];

/**
 * The story, at its first step.
 * @param {function(object)} enter told of the step that begins
 * @param {function(string): object} values of the numbers and names in a step's text
 * @param {function(): string|null} aside what is said in place of a step, away from the planes
 */
function makeStory(enter, values, aside) {
  const buttons = [...document.querySelectorAll("[data-step]")];
  const [back, next] = ["story-back", "story-next"].map((id) => document.getElementById(id));
  let at = 0;

  function go(step) {
    at = step;
    enter(STEPS[at]);
    tell();
  }

  /** Say the text of the step, with its numbers as they are now. */
  function tell() {
    const { name } = STEPS[at];
    const away = aside();
    document.getElementById("story-text").textContent =
      away ?? say(`step_${name}_text`, values(name));
    buttons.forEach((button, k) => {
      button.setAttribute("aria-pressed", away === null && k === at);
      button.setAttribute("aria-label", `${say(`step_${STEPS[k].name}`)}, ${say("step_of", {
        step: k + 1,
        steps: STEPS.length,
      })}`);
    });
    back.disabled = at === 0;
    next.disabled = at === STEPS.length - 1;
  }

  buttons.forEach((button, k) => button.addEventListener("click", () => go(k)));
  back.addEventListener("click", () => go(at - 1));
  next.addEventListener("click", () => go(at + 1));
  return {
    go,
    tell,
    get step() {
      return STEPS[at].name;
    },
  };
}
