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
      for (let i = 0; i < 10; i++) explorer.decode(explorer.plane, Float32Array.of(k / 9, i / 3));
      longest = Math.max(longest, explorer.lastDecodeMs);
      return (performance.now() - begun) / 10;
    });
    return [times.sort((a, b) => a - b)[25], longest];
  });
}

async function walkTheMap(page) {
  let [cursor, decoded] = [await read(page, "cursor"), await look(page, "decoded")];
  await page.mouse.move(...(await at(page, "map", 0.3, 0.6)));
  let now = [await read(page, "cursor"), await look(page, "decoded")];
  check("mouse moves the cursor and decodes", differ(cursor, now[0]) && decoded !== now[1]);

  await page.locator("#map").focus();
  [cursor, decoded] = now;
  for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  now = [await read(page, "cursor"), await look(page, "decoded")];
  const moved = now[0][0] > cursor[0] && now[0][1] > cursor[1];
  check("arrow keys move the cursor and decode", moved && decoded !== now[1]);

  let picked = [await read(page, "picked"), await look(page, "reconstructed")];
  await page.keyboard.press("Enter");
  let next = [await read(page, "picked"), await look(page, "reconstructed")];
  check("enter picks the nearest digit", picked[0] !== next[0] && picked[1] !== next[1]);
  picked = next;
  await page.mouse.click(...(await at(page, "map", 0.8, 0.7)));
  next = [await read(page, "picked"), await look(page, "picked")];
  check("click picks another", picked[0] !== next[0]);
  const neighbours = await read(page, "neighbours");
  await page.locator("#neighbours button").nth(2).click();
  check("a neighbour can be picked", (await read(page, "picked")) === neighbours[2]);

  const whole = await look(page, "map");
  await page.locator("#map").focus();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  const near = await look(page, "map");
  await page.locator("#whole").click();
  check("zoom redraws and goes back", near !== whole && (await look(page, "map")) === whole);
  await page.locator("#map").focus();
  await page.keyboard.press("+");
  for (let i = 0; i < 20; i++) await page.keyboard.press("Shift+ArrowLeft");
  const end = await read(page, "cursor");
  await page.keyboard.press("Shift+ArrowLeft");
  check("cursor stays on the map", !differ(end, await read(page, "cursor")));
  await page.keyboard.press("0");

  const all = await look(page, "map");
  const three = page.locator('#legend [data-digit="3"]');
  await three.click();
  const pressed = (await three.getAttribute("aria-pressed")) === "true";
  check("legend shows one digit only", pressed && all !== (await look(page, "map")));
  await three.click();
  check("legend shows all again", all === (await look(page, "map")));
}

async function walkThePad(page) {
  const before = [await look(page, "drawn-reconstructed"), await look(page, "denoised")];
  await drawSeven(page);
  check("drawing changes the reconstruction", before[0] !== (await look(page, "drawn-reconstructed")));
  check("drawing changes the denoised image", before[1] !== (await look(page, "denoised")));
  const place = await read(page, "drawn");
  check("drawing places a point", place?.length === 2 && place.every(Number.isFinite));
  const middle = await page.evaluate(() => {
    const canvas = document.getElementById("seen");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    let [mass, across, down] = [0, 0, 0];
    for (let p = 0; p < 784; p++) {
      const ink = 255 - data[4 * p];
      mass += ink;
      across += ink * (p % 28);
      down += ink * Math.floor(p / 28);
    }
    return [across / mass, down / mass];
  });
  check("the drawn digit is centred by mass", middle.every((v) => Math.abs(v - 14) < 0.1));
  await page.locator("#clear").click();
  const blank = before[0] === (await look(page, "drawn-reconstructed"));
  check("clear empties the pad", blank && (await read(page, "drawn")) === null);
  await page.locator("#pad").focus();
  await page.keyboard.press("Space");
  for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowDown");
  await frames(page);
  check("keys draw on the pad", (await read(page, "drawn"))?.length === 2);
  await page.keyboard.press("Delete");
}

async function walkTheVariants(page) {
  const before = [await look(page, "map"), await look(page, "reconstructed")];
  await page.locator('input[value="vae-2"]').check({ force: true });
  const after = [await look(page, "map"), await look(page, "reconstructed")];
  const name = await read(page, "plane");
  check("switching the variant redraws",
    name === "vae-2" && before[0] !== after[0] && before[1] !== after[1]);
}

async function walkTheSliders(page) {
  await page.locator("#from-picked").click();
  const code = await read(page, "slid");
  const first = await look(page, "slid");
  await page.locator("#sliders input").first().focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowRight");
  const moved = await read(page, "slid");
  const one = moved[0] > code[0] && !differ(moved.slice(1), code.slice(1));
  check("a slider moves by key", one && first !== (await look(page, "slid")));
  await page.locator("#from-picked").click();
  check("from this digit goes back", first === (await look(page, "slid")));
  const hidden = await page.locator("#draw").isHidden();
  await page.locator('input[value="vae-16"]').check({ force: true });
  check("random draw only with a prior", hidden && (await page.locator("#draw").isVisible()));
  const old = await read(page, "slid");
  await page.locator("#draw").click();
  const drawn = await read(page, "slid");
  check("random draw changes all units", drawn.every((v, i) => v !== old[i]));
  await page.locator("#from-digit").selectOption("4");
  const four = await page.evaluate(() => {
    const labels = JSON.parse(document.getElementById("data").textContent).labels;
    return Array.from(explorer.encode("vae-16", explorer.pictureOf(labels.indexOf("4"))));
  });
  check("start at a digit", !differ(four, await read(page, "slid")));
}

/** What no one could name, what Tab does not reach, what shows no focus. */
async function walkByTab(page) {
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, select, canvas[tabindex], [role=img]")]
      .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
      .map((e) => e.outerHTML.slice(0, 80)),
  );
  check("everything has a name", nameless.length === 0 || nameless.join());
  await page.locator("summary").focus(); // the first of all
  const reached = new Set();
  let unseen = "";
  for (let i = 0; i < 70; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      const shown = e.type === "radio" ? e.nextElementSibling : e;
      const style = getComputedStyle(shown);
      const name = e.id || e.name || e.closest("[id]")?.id || e.tagName;
      return [name, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
    });
    if (at[0] === "BODY") break;
    reached.add(at[0]);
    if (!at[1]) unseen += ` ${at[0]}`;
  }
  const wanted = ["map", "legend", "nearer", "neighbours", "pad", "clear", "plane", "slider",
    "sliders", "from-picked", "from-digit"];
  const missed = wanted.filter((name) => !reached.has(name));
  check("tab reaches every part", missed.length === 0 || missed.join());
  check("focus is seen", unseen === "" || unseen);
}

/** Texts that do not fit where they stand. */
const clipped = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("h1,h2,h3,p,li,button,figcaption,.choices span,output,summary")]
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
    ["desktop", { viewport: { width: 1280, height: 900 } }],
    ["phone", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true }],
  ])
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(browser, { ...size, colorScheme });
      await drawSeven(page);
      if (device === "phone" && colorScheme === "light") {
        const before = await read(page, "cursor");
        await page.touchscreen.tap(...(await at(page, "map", 0.4, 0.3)));
        check("a finger moves the cursor", differ(before, await read(page, "cursor")));
        const [top, bottom] = await page.evaluate(() => [
          document.getElementById("decoded").getBoundingClientRect().top,
          document.getElementById("map").getBoundingClientRect().bottom,
        ]);
        check("a phone shows the map and what it decodes", top < bottom && bottom - top < 740);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        check("phone light: no sideways scroll", width <= 360 || width);
      }
      await page.evaluate(() => document.querySelector("details").setAttribute("open", ""));
      const cut = await clipped(page);
      check(`${device} ${colorScheme}: nothing clipped`, cut.length === 0 || cut.join(" | "));
      await page.evaluate(() => document.querySelector("details").removeAttribute("open"));
      await page.evaluate(() => window.scrollTo(0, 0));
      shots[device + colorScheme] = await look(page, "map");
      const path = join(given.shots, `${device}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      await page.context().close();
    }
  check("dark differs from light", shots.desktoplight !== shots.desktopdark);
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox"] });
try {
  const page = await open(browser, { viewport: { width: 1280, height: 900 } });
  const globals = await page.evaluate(() =>
    Object.keys(window).filter((n) => n !== "beforeExplorer" && !beforeExplorer.includes(n)),
  );
  check("only window.explorer is global", !differ(globals, ["explorer"]) || globals.join());
  await compareNetworks(page);
  const started = await page.evaluate(() => [
    Array.from(explorer.encode("ae-16", explorer.pictureOf(explorer.picked))),
    explorer.slid,
  ]);
  check("sliders start at the picked digit", !differ(...started));
  await walkTheMap(page);
  await walkThePad(page);
  await walkTheSliders(page);
  await walkByTab(page);
  await walkTheVariants(page);
  await photograph(browser);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
