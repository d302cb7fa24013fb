// A walk through the explorer in a real browser: `node browser.mjs given.json`, run by
// test_browser.py. Prints what it saw as JSON; judging is the test's.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { chromium } = createRequire(join(given.tools, "package.json"))("playwright-core");
const HANGS = 300_000; // no machine that is only slow takes so many milliseconds for one step
const seen = { errors: [], requests: [], checks: {}, decoded: {}, encoded: {} };
const check = (name, holds) => (seen.checks[name] = holds);

/** A page with the explorer, ready; all it complains of or asks for is noted. */
async function open(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(HANGS);
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && seen.errors.push(m.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (r) => /^(file|data|blob):/.test(r.url()) || seen.requests.push(r.url()));
  const before = "window.beforeExplorer = Object.keys(window)";
  await page.addInitScript(before);
  await page.goto(pathToFileURL(given.page).href);
  // The page forbids eval, by which Playwright's own waiting works
  while (!(await page.evaluate(() => window.explorer?.ready))) await page.waitForTimeout(50);
  await frames(page);
  return page;
}

/** Wait until the screen was drawn twice. */
const frames = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

/** The pixels of a canvas as text, after what was asked for is drawn. */
async function look(page, id) {
  await frames(page);
  return page.evaluate((name) => document.getElementById(name).toDataURL(), id);
}

const read = (page, name) => page.evaluate((n) => window.explorer[n], name);
const differ = (a, b) => JSON.stringify(a) !== JSON.stringify(b);

/** A point of an element, as shares of its width and height. */
async function at(page, id, across, down) {
  const element = page.locator(`#${id}`);
  await element.scrollIntoViewIfNeeded();
  const box = await element.boundingBox();
  return [box.x + across * box.width, box.y + down * box.height];
}

async function drawSeven(page) {
  await page.mouse.move(...(await at(page, "pad", 0.2, 0.2)));
  await page.mouse.down();
  await page.mouse.move(...(await at(page, "pad", 0.7, 0.2)), { steps: 8 });
  await page.mouse.move(...(await at(page, "pad", 0.4, 0.85)), { steps: 8 });
  await page.mouse.up();
  await frames(page);
}

async function compareNetworks(page) {
  for (const [name, { points, indices }] of Object.entries(given.models)) {
    seen.decoded[name] = await page.evaluate(
      ([n, codes]) => codes.map((c) => Array.from(explorer.decode(n, Float32Array.from(c)))),
      [name, points],
    );
    seen.encoded[name] = await page.evaluate(
      ([n, all]) => all.map((i) => Array.from(explorer.encode(n, explorer.pictureOf(i)))),
      [name, indices],
    );
  }
  // The browser's clock is coarse: time ten at once
  [seen.decodeMs, seen.lastDecodeMs] = await page.evaluate(() => {
    let longest = 0;
    const times = Array.from({ length: 51 }, (_, k) => {
      const begun = performance.now();
      for (let i = 0; i < 10; i++)
        explorer.decode(explorer.planes.first, Float32Array.of(k / 9, i / 3));
      longest = Math.max(longest, explorer.lastDecodeMs);
      return (performance.now() - begun) / 10;
    });
    return [times.sort((a, b) => a - b)[25], longest];
  });
}

/** What the page opens with, and what it says in either language. */
async function walkTheStory(page) {
  const planes = await read(page, "planes");
  check("opens on the plain autoencoder beside the variational one",
    !differ(planes, { first: "ae-2", second: "vae-2" }));
  const begun = [await look(page, "map-first"), await look(page, "map-second")];
  const texts = [await page.locator("#story-text").textContent()];
  const maps = [begun];
  for (let step = 1; step < 5; step++) {
    await page.locator("#story-next").click();
    maps.push([await look(page, "map-first"), await look(page, "map-second")]);
    texts.push(await page.locator("#story-text").textContent());
  }
  const ended = await page.locator("#story-next").isDisabled();
  check("the story has five steps", ended && new Set(texts).size === 5);
  check("every number of the story is filled in", !/[{}]|undefined|NaN/.test(texts.join("")));
  const changed = [1, 2, 3].every((k) => differ(maps[k], begun));
  check("each step shows something else on the maps", changed && new Set(maps.flat()).size >= 8);

  await page.locator('[data-step="1"]').click();
  const [hole, cursors, nearest] = await page.evaluate(async () => {
    const packed = JSON.parse(document.getElementById("data").textContent);
    const found = explorer.holeOf("first");
    const all = Array.from({ length: packed.numbers.length }, (_, i) =>
      explorer.encode("ae-2", explorer.pictureOf(i)));
    const far = all.map(([x, y]) => Math.hypot(x - found.x, y - found.y));
    return [found, explorer.cursors, Math.min(...far)];
  });
  // Codes on the page are rounded to 2^-13 of the largest
  check("no digit lies in the hole", hole.radius > 0 && nearest > 0.98 * hole.radius);
  check("the cursor stands in the hole",
    Math.hypot(cursors.first[0] - hole.x, cursors.first[1] - hole.y) < 1e-3 * hole.radius);
  await page.locator('[data-step="2"]').click();
  check("draws of the prior are decoded", await page.locator("#draws-second").isVisible());
  await page.locator('[data-layer="prior"]').click();
  check("a mark can be taken off the maps", await page.locator("#draws-second").isHidden());
  await page.locator('[data-step="0"]').click();
}

/** Everything that must be seen at once on a desktop and on a small laptop, in both views and languages. */
async function walkTheFold(page) {
  const opened = page.viewportSize();
  for (const height of [opened.height, 650]) {
    await page.setViewportSize({ width: opened.width, height });
    for (const language of ["en", "zh"]) {
      await page.locator(`[data-language="${language}"]`).click();
      for (const view of ["units", "planes"]) {
        await page.locator(`[data-view="${view}"]`).click();
        if (view === "planes") await page.locator('[data-step="2"]').click();
        await frames(page);
        const low = await page.evaluate(() =>
          Math.max(...[...document.querySelectorAll("main *")].filter((e) => e.offsetParent)
            .map((e) => e.getBoundingClientRect().bottom)));
        check(`${language} ${view}: nothing below the fold of ${height}`, low <= height || low);
      }
    }
  }
  await page.setViewportSize(opened);
  await page.locator('[data-step="0"]').click();
  await page.locator('[data-language="en"]').click();
}

/** Nothing stays in the other language, and the choice lasts. */
async function walkTheLanguages(browser, page) {
  const visible = () => page.evaluate(() => {
    const said = [document.title, document.body.innerText];
    for (const e of document.querySelectorAll("[aria-label]")) said.push(e.ariaLabel);
    return said.join("\n");
  });
  const inEnglish = await visible();
  await page.locator('[data-language="zh"]').click();
  await page.locator('[data-view="units"]').click();
  await page.locator('[data-view="planes"]').click();
  const inChinese = await visible();
  // Names and signs of which both languages have the same, and what the switch itself says
  const same = /English|MNIST|Yann LeCun|Corinna Cortes|CC BY-SA|Petroff|PSNR|Shift|Delete|dB/g;
  const left = inChinese.replace(same, "").match(/[A-Za-z]{4,}/g);
  check("nothing stays in English", left === null || [...new Set(left)].join());
  const chinese = inEnglish.replace("中文", "").match(/[\u4e00-\u9fff]+/g);
  check("nothing is Chinese before", chinese === null || chinese.join());
  const html = await page.evaluate(() => document.documentElement.lang);
  const link = await page.locator('[data-link="report"]').getAttribute("href");
  check("links lead to pages of the language", html === "zh" && link === "report.zh.md");

  const other = await page.context().newPage();
  const lang = async (address) => {
    await other.goto(address);
    while (!(await other.evaluate(() => window.explorer?.ready))) await other.waitForTimeout(50);
    return other.evaluate(() => document.documentElement.lang);
  };
  const address = pathToFileURL(given.page).href;
  check("the language is remembered", (await lang(address)) === "zh");
  check("the address decides", (await lang(`${address}?lang=en`)) === "en");
  await other.close();
  await page.locator('[data-language="en"]').click();
}

async function walkTheMap(page) {
  const cursorOf = async () => (await read(page, "cursors")).second;
  let [cursor, decoded] = [await cursorOf(), await look(page, "decoded-second")];
  await page.mouse.move(...(await at(page, "map-second", 0.3, 0.6)));
  let now = [await cursorOf(), await look(page, "decoded-second")];
  check("mouse moves the cursor and decodes", differ(cursor, now[0]) && decoded !== now[1]);

  await page.locator("#map-second").focus();
  [cursor, decoded] = now;
  for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  now = [await cursorOf(), await look(page, "decoded-second")];
  const moved = now[0][0] > cursor[0] && now[0][1] > cursor[1];
  check("arrow keys move the cursor and decode", moved && decoded !== now[1]);

  const shown = async () => [await look(page, "by-first"), await look(page, "by-second")];
  let picked = [await read(page, "picked"), await shown()];
  await page.keyboard.press("Enter");
  let next = [await read(page, "picked"), await shown()];
  check("enter picks the nearest digit", picked[0] !== next[0] && differ(picked[1], next[1]));
  picked = next;
  await page.mouse.click(...(await at(page, "map-first", 0.3, 0.5)));
  next = [await read(page, "picked")];
  check("click picks another", picked[0] !== next[0]);
  const neighbours = await read(page, "neighbours");
  await page.locator("#neighbours button").nth(2).click();
  check("a neighbour can be picked", (await read(page, "picked")) === neighbours[2]);

  const zoom = (what) => page.locator(`#plane-second [data-zoom="${what}"]`).click();
  await zoom("whole");
  const whole = await look(page, "map-second");
  await page.locator("#map-second").focus();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  const near = await look(page, "map-second");
  await zoom("whole");
  check("zoom redraws and goes back", near !== whole && (await look(page, "map-second")) === whole);
  await page.locator("#map-second").focus();
  await page.keyboard.press("+");
  for (let i = 0; i < 30; i++) await page.keyboard.press("Shift+ArrowLeft");
  const end = await cursorOf();
  await page.keyboard.press("Shift+ArrowLeft");
  check("cursor stays on the map", !differ(end, await cursorOf()));
  await page.keyboard.press("0");

  const all = [await look(page, "map-first"), await look(page, "map-second")];
  const three = page.locator('#legend [data-digit="3"]');
  await three.click();
  const pressed = (await three.getAttribute("aria-pressed")) === "true";
  const only = [await look(page, "map-first"), await look(page, "map-second")];
  check("legend shows one digit only", pressed && all.every((map, k) => map !== only[k]));
  await three.click();
  const again = [await look(page, "map-first"), await look(page, "map-second")];
  check("legend shows all again", !differ(all, again));
}

async function walkThePad(page) {
  const before = [await look(page, "by-second"), await look(page, "denoised")];
  const picked = await read(page, "picked");
  await drawSeven(page);
  check("drawing changes the reconstruction", before[0] !== (await look(page, "by-second")));
  check("drawing changes the denoised image", before[1] !== (await look(page, "denoised")));
  check("the drawing is the digit", (await read(page, "drawn"))?.length === 784);
  const middle = await page.evaluate(() => {
    let [mass, across, down] = [0, 0, 0];
    explorer.drawn.forEach((ink, p) => {
      mass += ink;
      across += ink * (p % 28);
      down += ink * Math.floor(p / 28);
    });
    return [across / mass, down / mass];
  });
  check("the drawn digit is centred by mass", middle.every((v) => Math.abs(v - 14) < 0.1));
  await page.locator("#clear").click();
  const back = before[0] === (await look(page, "by-second"));
  check("clear goes back to the test digit", back && (await read(page, "picked")) === picked);
  await page.locator("#pad").focus();
  await page.keyboard.press("Space");
  for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowDown");
  await frames(page);
  check("keys draw on the pad", (await read(page, "drawn"))?.length === 784);
  await page.mouse.click(...(await at(page, "map-first", 0.5, 0.5)));
  const wiped = await page.evaluate(() => {
    const pad = document.getElementById("pad");
    return pad.getContext("2d").getImageData(0, 0, 280, 280).data.every((v) => v === 0);
  });
  check("a test digit takes the drawing's place", wiped && (await read(page, "drawn")) === null);
}

/** Noise is seen from the start, its strength and its draw can be changed, and it moves codes. */
async function walkTheNoise(page) {
  const tiles = async () => [await look(page, "original"), await look(page, "noisy")];
  const [clean, noisy] = await tiles();
  check("noise is seen from the start", clean !== noisy);
  await page.locator("#renew").click();
  const other = (await tiles())[1];
  check("other noise can be had", other !== noisy);
  await page.locator("#sigma").focus();
  const gain = await page.locator("#gain").textContent();
  await page.keyboard.press("ArrowRight");
  check("the slider changes the noise",
    other !== (await tiles())[1] && gain !== (await page.locator("#gain").textContent()));
  await page.keyboard.press("Home");
  check("without noise the image is as it was", clean === (await tiles())[1]);
  await page.locator('[data-layer="noise"]').click();
  const still = await look(page, "map-second");
  await page.locator("#sigma").focus();
  await page.keyboard.press("End");
  check("noise moves the codes on the map", still !== (await look(page, "map-second")));
  await page.locator('[data-layer="noise"]').click();
  await page.locator("#start").selectOption("4");
  const four = await page.evaluate(() =>
    JSON.parse(document.getElementById("data").textContent).labels.indexOf("4"));
  check("start at a digit", (await read(page, "picked")) === four);
}

async function walkTheVariants(page) {
  const shown = async () => [await look(page, "map-first"), await look(page, "by-first")];
  const before = await shown();
  await page.locator("#model-first").selectOption("dae-2");
  const after = await shown();
  const planes = await read(page, "planes");
  const link = await page.locator("#about-first").getAttribute("href");
  check("switching the variant redraws",
    planes.first === "dae-2" && before.every((one, k) => one !== after[k]));
  check("a model links to its page", link === "en/variants/dae.md");
  await page.locator("#model-first").selectOption("ae-2");
}

async function walkTheSliders(page) {
  const step = page.locator('[data-step][aria-pressed="true"]');
  const [told, at] = [await page.locator("#story-text").textContent(), await step.count()];
  await page.locator('[data-view="units"]').click();
  const aside = await page.locator("#story-text").textContent();
  const away = aside !== told && aside.includes("16") && !/[{}]/.test(aside);
  check("the story does not speak of planes beside sliders", away && (await step.count()) < at);
  await page.locator('[data-view="planes"]').click();
  check("the story goes on where it was", told === (await page.locator("#story-text").textContent()));
  await page.locator('[data-view="units"]').click();
  const unitAt = (k) => page.evaluate((n) => explorer.order[n], k);
  await page.locator("#model-units").selectOption("ae-16");
  const [effects, order] = [await read(page, "effects"), await read(page, "order")];
  const sorted = order.every((unit, k) => !k || effects[order[k - 1]] >= effects[unit]);
  check("units are ordered by their effect", sorted && effects[order[0]] > effects[order.at(-1)]);
  const started = await page.evaluate(() => [
    Array.from(explorer.encode("ae-16", explorer.pictureOf(explorer.picked))),
    explorer.slid,
  ]);
  check("sliders start at the picked digit", !differ(...started));
  const code = await read(page, "slid");
  const first = await look(page, "slid");
  const unit = await unitAt(0);
  await page.locator("#sliders input").first().focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowRight");
  const moved = await read(page, "slid");
  const others = (values) => values.filter((_, i) => i !== unit);
  const one = moved[unit] > code[unit] && !differ(others(moved), others(code));
  check("a slider moves by key", one && first !== (await look(page, "slid")));
  await page.locator("#from-digit").click();
  check("from this digit goes back", first === (await look(page, "slid")));
  await page.locator("#sliders button").nth(1).click();
  const [slid, high] = await page.evaluate((u) => {
    const { ranges } = JSON.parse(document.getElementById("data").textContent).models["ae-16"];
    return [explorer.slid[u], ranges[u][1]];
  }, unit);
  check("a thumbnail moves the unit to its end", Math.abs(slid - high) < 1e-5 * Math.abs(high));
  const hidden = await page.locator("#random").isHidden();
  await page.locator("#model-units").selectOption("vae-16");
  check("random draw only with a prior", hidden && (await page.locator("#random").isVisible()));
  const old = await read(page, "slid");
  await page.locator("#random").click();
  const drawn = await read(page, "slid");
  check("random draw changes all units", drawn.every((v, i) => v !== old[i]));
}

/** What no one could name, what Tab does not reach, what shows no focus. */
async function walkByTab(page) {
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, select, canvas[tabindex], [role=img]")]
      .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
      .map((e) => e.outerHTML.slice(0, 80)),
  );
  check("everything has a name", nameless.length === 0 || nameless.join());
  await page.locator("[data-view]").first().focus(); // the first of all
  const reached = new Set();
  let unseen = "";
  for (let i = 0; i < 130; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const name = e.id || e.closest("[id]")?.id || e.tagName;
      return [name, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
    });
    if (at[0] === "BODY") break;
    reached.add(at[0]);
    if (!at[1]) unseen += ` ${at[0]}`;
  }
  const wanted = ["story", "story-next", "map-first", "map-second", "plane-first", "model-first",
    "about-second", "legend", "layers", "start", "neighbours", "pad", "sigma", "renew"];
  const missed = wanted.filter((name) => !reached.has(name));
  check("tab reaches every part", missed.length === 0 || missed.join());
  check("focus is seen", unseen === "" || unseen);
}

/** Texts that do not fit where they stand. */
const clipped = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("h1,h2,h3,p,li,button,figcaption,output,summary,a")]
      .filter((e) => !e.closest(".unseen") && e.offsetParent)
      .filter((e) => {
        const box = e.getBoundingClientRect();
        const wide = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
        return wide || box.right > innerWidth + 1 || box.left < -1;
      })
      .map((e) => e.textContent.trim().slice(0, 40)),
  );

async function photograph(browser) {
  const shots = {};
  for (const [device, size] of [
    ["desktop", { viewport: { width: 1280, height: 800 } }],
    ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true }],
  ])
    for (const colorScheme of ["light", "dark"]) {
      // Each scheme in one language: both, on both devices, are looked at
      const locale = (device === "phone") === (colorScheme === "light") ? "zh-CN" : "en-GB";
      const page = await open(browser, { ...size, colorScheme, locale });
      await drawSeven(page);
      if (device === "phone" && colorScheme === "light") {
        await page.evaluate(() => window.scrollTo(0, 0));
        const low = await page.evaluate(() =>
          document.getElementById("map-second").getBoundingClientRect().bottom);
        check("a phone shows the story and both maps at once", low <= 844 || low);
        const before = await read(page, "cursors");
        await page.touchscreen.tap(...(await at(page, "map-first", 0.4, 0.3)));
        check("a finger moves the cursor", differ(before, await read(page, "cursors")));
        const narrow = await page.locator("#map-first").boundingBox();
        await page.locator('#plane-first [data-zoom="wide"]').click();
        const wide = await page.locator("#map-first").boundingBox();
        check("a phone can widen a map", wide.width > 1.8 * narrow.width);
        await page.locator('#plane-first [data-zoom="wide"]').click();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        check("phone light: no sideways scroll", width <= 390 || width);
      }
      await page.evaluate(() => document.querySelector("details").setAttribute("open", ""));
      const cut = await clipped(page);
      check(`${device} ${colorScheme}: nothing clipped`, cut.length === 0 || cut.join(" | "));
      await page.evaluate(() => document.querySelector("details").removeAttribute("open"));
      await page.evaluate(() => window.scrollTo(0, 0));
      shots[device + colorScheme] = await look(page, "map-second");
      const path = join(given.shots, `${device}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      await page.context().close();
    }
  check("dark differs from light", shots.desktoplight !== shots.desktopdark);
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox"] });
try {
  const page = await open(browser, { viewport: { width: 1280, height: 800 } });
  const globals = await page.evaluate(() =>
    Object.keys(window).filter((n) => n !== "beforeExplorer" && !beforeExplorer.includes(n)),
  );
  check("only window.explorer is global", !differ(globals, ["explorer"]) || globals.join());
  await compareNetworks(page);
  await walkTheStory(page);
  await walkTheFold(page);
  await walkTheLanguages(browser, page);
  await walkTheMap(page);
  await walkThePad(page);
  await walkTheNoise(page);
  await walkByTab(page);
  await walkTheVariants(page);
  await walkTheSliders(page);
  await photograph(browser);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
