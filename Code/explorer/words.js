// Words: every text of the page in the language that the reader chose.

const data = JSON.parse(document.getElementById("data").textContent);
const LANGUAGES = Object.keys(data.texts);
const REMEMBERED = "explorer-language";
let language = firstLanguage();

/** The language of the address (?lang=zh), else that of the last visit, else the browser's. */
function firstLanguage() {
  const asked = new URLSearchParams(location.search).get("lang");
  const known = [asked, remembered(), navigator.language?.slice(0, 2)];
  return known.find((one) => LANGUAGES.includes(one)) ?? LANGUAGES[0];
}

/** Some browsers keep nothing for a page that is a file: then nothing is remembered. */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(REMEMBERED, chosen);
  } catch {
    // as above
  }
}

/** A text, with values in its {places}. */
function say(key, values = {}) {
  return data.texts[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const nameOf = (model) => data.names[language][model];

/** Say everything that stands in the page in the chosen language. */
function translate() {
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]"))
    one.textContent = say(one.dataset.text);
  for (const one of document.querySelectorAll("[data-label]"))
    one.setAttribute("aria-label", say(one.dataset.label));
  for (const one of document.querySelectorAll("[data-title]")) one.title = say(one.dataset.title);
  for (const one of document.querySelectorAll("[data-name]"))
    one.textContent = nameOf(one.dataset.name);
  for (const one of document.querySelectorAll("[data-link]"))
    one.href = data.links[language][one.dataset.link];
  for (const one of document.querySelectorAll("#legend [data-digit]"))
    if (one.dataset.digit !== "all") one.setAttribute("aria-label", say("only", one.dataset));
  for (const one of document.querySelectorAll("[data-language]"))
    one.setAttribute("aria-pressed", one.dataset.language === language);
}

/** The switch between the languages; what it changes is told to a function. */
function setUpLanguages(follow) {
  for (const button of document.querySelectorAll("[data-language]"))
    button.addEventListener("click", () => {
      language = button.dataset.language;
      remember(language);
      translate();
      follow();
    });
}

/** A number in words: so many decimals, a true minus sign, and no minus before zero. */
function inWords(number, decimals) {
  const words = number.toFixed(decimals);
  return Number(words) ? words.replace("-", "−") : words.replace("-", "");
}

/** A share in words, in whole percents; English has a space before the sign, Chinese has none. */
const inPercent = (share) => Math.round(100 * share) + (language === "zh" ? "%" : "\u00a0%");
