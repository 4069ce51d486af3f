// The drift page in a real browser: node --test in this directory, after npm ci. It
// builds the program, makes a tree of 10,000 keys, and opens the report from a file.
// CHROMIUM names the browser, SCREENSHOTS a folder to keep the pictures in.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {after, before, test} from "node:test";
import {fileURLToPath, pathToFileURL} from "node:url";
import {chromium} from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const work = mkdtempSync(join(tmpdir(), "drift-page-"));
const pictures = process.env.SCREENSHOTS || join(work, "pictures");
const environments = ["dev", "staging", "prod", "dr"];
const units = 20, keys = 500;

let browser, action;

// tree writes env files: each key is absent or empty in some environment now and then.
function tree(dir, units, keys) {
  for (let u = 0; u < units; u++) {
    for (const [at, env] of environments.entries()) {
      const lines = [];
      for (let k = 0; k < keys; k++) {
        if ((k * 7 + u + at * 3) % 17 === 0) continue;
        lines.push(`SERVICE_${u}_SETTING_${k}=${(k + at) % 53 === 0 ? "" : "x"}`);
      }
      const to = join(dir, "apps", `service-${u}`, "overlays", env);
      mkdirSync(to, {recursive: true});
      writeFileSync(join(to, "app.env"), lines.join("\n") + "\n");
    }
  }
}

function page(name, units, keys) {
  const dir = join(work, name), file = join(work, `${name}.html`);
  tree(dir, units, keys);
  execFileSync(action, ["drift", "--format", "html", "--output", file, dir], {stdio: ["ignore", "ignore", "inherit"]});
  return pathToFileURL(file).href;
}

let small, large;
before(async () => {
  mkdirSync(pictures, {recursive: true});
  action = join(work, "action");
  execFileSync("go", ["build", "-o", action, "./cmd/action"], {cwd: root, stdio: "inherit"});
  small = page("small", 3, 60);
  large = page("large", units, keys);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  rmSync(work, {recursive: true, force: true});
});

async function open(url, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}, ...options});
  const tab = await context.newPage();
  tab.asked = [];
  tab.errors = [];
  tab.on("request", r => tab.asked.push(r.url()));
  tab.on("pageerror", e => tab.errors.push(String(e)));
  tab.on("console", m => { if (m.type() === "error") tab.errors.push(m.text()); });
  await tab.goto(url);
  return tab;
}

const shown = tab => tab.evaluate(() => [...document.querySelectorAll("tbody tr")].filter(r => r.checkVisibility()).length);
const count = tab => tab.locator("#count").textContent();

test("asks for nothing but itself, and runs without an error", async () => {
  const tab = await open(large);
  await tab.fill("#q", "service");
  await tab.selectOption("#state", "");
  assert.deepEqual(tab.asked, [large]);
  assert.deepEqual(tab.errors, []);
  await tab.context().close();
});

test("has every key, and shows those that drift first", async () => {
  const tab = await open(large);
  assert.equal(await tab.locator("tbody tr").count(), units * keys);
  const drifting = await shown(tab);
  assert.ok(drifting > 1000 && drifting < units * keys, `${drifting} rows`);
  assert.equal(await count(tab), `${drifting} keys`);
  await tab.selectOption("#state", "");
  assert.equal(await shown(tab), units * keys);
  await tab.selectOption("#state", "empty");
  const empty = await shown(tab);
  assert.ok(empty > 0 && empty < drifting, `${empty} rows`);
  assert.equal(await tab.evaluate(() => [...document.querySelectorAll("tbody tr")].filter(r => r.checkVisibility()).every(r => r.querySelector("td.empty"))), true);
  await tab.context().close();
});

test("finds keys and units by words", async () => {
  const tab = await open(large);
  await tab.selectOption("#state", "");
  await tab.fill("#q", "service-7 setting_499");
  await tab.waitForFunction(() => document.getElementById("count").textContent === "1 key");
  assert.equal(await shown(tab), 1);
  await tab.fill("#q", "no such key");
  await tab.waitForFunction(() => document.getElementById("count").textContent === "0 keys");
  assert.equal(await tab.locator("#none").isVisible(), true);
  await tab.context().close();
});

// Seconds depend on the machine; what a search costs beside loading the page does not.
test("stays fluid: a search costs a small part of what opening the page does", async () => {
  const tab = await open(large);
  await tab.selectOption("#state", "");
  const {search, layout} = await tab.evaluate(async () => {
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const input = document.getElementById("q"), times = [];
    for (const words of ["s", "se", "service_3", "service_3_setting_4", "", "setting_2", "nothing at all", ""]) {
      await frame();
      const from = performance.now();
      input.value = words;
      input.dispatchEvent(new Event("input"));
      await frame();
      times.push(performance.now() - from);
    }
    // The yardstick: the same rows with nothing left out of the layout.
    const from = performance.now();
    const style = document.createElement("style");
    style.textContent = "section, .chunk { content-visibility: visible !important }";
    document.head.append(style);
    document.body.getBoundingClientRect();
    await frame();
    return {search: times.sort((a, b) => a - b)[times.length >> 1], layout: performance.now() - from};
  });
  assert.ok(search < layout, `a search takes ${search.toFixed(0)} ms, the whole layout ${layout.toFixed(0)} ms`);
  await tab.context().close();
});

test("is used from the keyboard", async () => {
  const tab = await open(large);
  const focused = () => tab.evaluate(() => document.activeElement.tagName + (document.activeElement.id && "#" + document.activeElement.id));
  const row = () => tab.evaluate(() => document.activeElement.closest("tr")?.cells[0].textContent);
  await tab.keyboard.press("/");
  assert.equal(await focused(), "INPUT#q");
  await tab.keyboard.type("setting_1");
  await tab.waitForFunction(() => document.getElementById("count").textContent !== "");
  assert.equal(await tab.inputValue("#q"), "setting_1");
  await tab.keyboard.press("ArrowDown");
  const first = await row();
  assert.match(first, /SETTING_1/);
  await tab.keyboard.press("ArrowDown");
  const second = await row();
  assert.match(second, /SETTING_1/);
  assert.notEqual(second, first);
  assert.equal(await tab.evaluate(() => { const r = document.activeElement.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; }), true);
  await tab.keyboard.press("ArrowUp");
  assert.equal(await row(), first);
  await tab.keyboard.press("Escape");
  assert.equal(await tab.inputValue("#q"), "");
  await tab.context().close();
});

test("links each cell to its file", async () => {
  const tab = await open(small);
  const links = await tab.evaluate(() => [...document.querySelectorAll("td.no a, td.empty a, td.ok a")].map(a => a.getAttribute("href")));
  assert.ok(links.length > 100);
  assert.ok(links.every(l => /^\.\/apps\/service-\d\/overlays\/[a-z]+\/app\.env/.test(l)), links[0]);
  await tab.context().close();
});

// contrast is WCAG's ratio of an element's text to what is behind it.
const contrast = (tab, selector) => tab.locator(selector).first().evaluate(element => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  let behind = element;
  while (behind.parentElement && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(getComputedStyle(behind).backgroundColor))].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
});

for (const colorScheme of ["light", "dark"]) {
  test(`can be read in ${colorScheme} colours`, async () => {
    const tab = await open(small, {colorScheme});
    for (const selector of ["h1", ".sub", ".cards .bad", "th", "td:first-child", "td.no a", "td.empty a", "td.ok a", "td.t", ".legend"]) {
      const ratio = await contrast(tab, selector);
      assert.ok(ratio >= 4.5, `${selector}: ${ratio.toFixed(2)}`);
    }
    await tab.screenshot({path: join(pictures, `${colorScheme}.png`)});
    const big = await open(large, {colorScheme});
    await big.screenshot({path: join(pictures, `${colorScheme}-large.png`)});
    await tab.context().close();
    await big.context().close();
  });
}

test("fits a telephone, without scrolling the page sideways", async () => {
  const tab = await open(small, {viewport: {width: 390, height: 800}});
  assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await tab.screenshot({path: join(pictures, "narrow.png")});
  await tab.context().close();
});

test("prints: no controls, every row that drifts, black on white", async () => {
  const tab = await open(small, {colorScheme: "dark"});
  await tab.emulateMedia({media: "print", colorScheme: "dark"});
  assert.equal(await tab.locator(".tools").isVisible(), false);
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  for (const selector of ["h1", "th", "td:first-child", "td.no a", "td.t", ".cards b"]) {
    const ratio = await contrast(tab, selector);
    assert.ok(ratio >= 4.5, `${selector}: ${ratio.toFixed(2)}`);
  }
  const pdf = await tab.pdf({path: join(pictures, "print.pdf"), format: "A4", printBackground: true});
  const sheets = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) || []).length;
  assert.ok(sheets >= 2 && sheets < 20, `${sheets} sheets`);
  await tab.setViewportSize({width: 794, height: 1123});
  await tab.screenshot({path: join(pictures, "print.png")});
  await tab.context().close();
});
