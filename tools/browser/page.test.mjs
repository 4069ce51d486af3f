// The operator's page in a real browser: the golden pages of internal/bot/page, served
// under the policy that the bot sends. CHROMIUM names the browser, SCREENSHOTS a folder
// to keep the pictures in.
import assert from "node:assert/strict";
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from "node:fs";
import {createServer} from "node:http";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {after, before, test} from "node:test";
import {fileURLToPath} from "node:url";
import {createRequire} from "node:module";
import {chromium} from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const source = resolve(dirname(fileURLToPath(import.meta.url)), "../../internal/bot/page");
const work = mkdtempSync(join(tmpdir(), "operator-page-"));
const pictures = process.env.SCREENSHOTS || join(work, "pictures");
const names = ["full", "empty", "many", "hostile", "login", "login-wrong"];
const policy = readFileSync(join(source, "page.go"), "utf8").match(/Policy = "([^"]+)"/)[1];

let browser, server, base;
const posted = [];
before(async () => {
  mkdirSync(pictures, {recursive: true});
  server = createServer((request, response) => {
    const path = new URL(request.url, "http://x").pathname, name = path.slice(1);
    const send = (type, file) => response.writeHead(200, {"Content-Type": type, "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}).end(readFileSync(join(source, file)));
    if (request.method === "POST") {
      let body = "";
      request.on("data", chunk => { body += chunk; });
      request.on("end", () => { posted.push({path, body}); send("text/html; charset=utf-8", "testdata/full.html"); });
    } else if (path === "/page.css") send("text/css; charset=utf-8", "page.css");
    else if (path === "/icon.svg") send("image/svg+xml", "icon.svg");
    else send("text/html; charset=utf-8", `testdata/${names.includes(name) ? name : "full"}.html`);
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  server?.close();
  rmSync(work, {recursive: true, force: true});
});

async function open(name, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const tab = await context.newPage();
  tab.asked = [];
  tab.errors = [];
  tab.on("request", r => tab.asked.push(r.url()));
  tab.on("pageerror", e => tab.errors.push(String(e)));
  tab.on("dialog", d => { tab.errors.push(d.message()); d.dismiss(); });
  tab.on("console", m => { if (["error", "warning"].includes(m.type())) tab.errors.push(m.text()); });
  await tab.goto(base + name);
  return tab;
}

for (const name of names) {
  test(`${name}: keeps to its policy, asks for nothing from elsewhere, runs nothing`, async () => {
    const tab = await open(name);
    assert.deepEqual(tab.errors, []);
    assert.ok(tab.asked.every(u => u.startsWith(base)), tab.asked.join(" "));
    assert.equal(await tab.evaluate(() => document.querySelectorAll("script, iframe, [style]").length), 0);
    await tab.context().close();
  });
}

test("hostile text is text: no element, no link of its own", async () => {
  const tab = await open("hostile");
  assert.equal(await tab.evaluate(() => document.querySelectorAll("img, svg, [onerror]").length), 0);
  const schemes = await tab.evaluate(() => [...document.querySelectorAll("a")].map(a => a.protocol));
  assert.ok(schemes.every(s => s === "http:" || s === "https:"), schemes.join(" "));
  assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await tab.screenshot({path: join(pictures, "page-hostile.png"), fullPage: true});
  await tab.context().close();
});

// What a reader of the page without eyes has to go by.
for (const name of names) {
  test(`${name}: has names, order and roles`, async () => {
    const tab = await open(name);
    const faults = await tab.evaluate(() => {
      const out = [], say = (why, e) => out.push(`${why}: ${e.outerHTML.slice(0, 120)}`);
      const name = e => (e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") || "").split(" ").map(i => document.getElementById(i)?.textContent || "").join(" ") || [...(e.labels || [])].map(l => l.textContent).join(" ") || e.textContent).trim();
      if (!document.documentElement.lang) out.push("no language");
      if (!document.title) out.push("no title");
      if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) out.push("one h1 and one main");
      const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
      for (const id of new Set(ids)) if (ids.filter(i => i === id).length > 1) out.push(`the id ${id} twice`);
      let level = 0;
      for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
        const at = +h.tagName[1];
        if (at > level + 1) say("a level is left out", h);
        level = at;
      }
      for (const e of document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, [role=region], nav, section")) if (!name(e)) say("no name", e);
      for (const t of document.querySelectorAll("table")) if (!t.caption || !t.querySelector("th[scope=col]") || !t.querySelector("th[scope=row]")) say("no caption or headers", t);
      for (const e of document.querySelectorAll("[tabindex]")) if (+e.getAttribute("tabindex") > 0) say("a tab order of its own", e);
      for (const e of document.querySelectorAll(".state")) if (!e.querySelector(".shape")?.textContent || e.textContent.trim().length < 4) say("a colour and no shape or word", e);
      for (const e of document.querySelectorAll("[aria-describedby]")) if (!document.getElementById(e.getAttribute("aria-describedby"))) say("described by nothing", e);
      for (const e of document.querySelectorAll("ul, ol")) if ([...e.children].some(c => c.tagName !== "LI")) say("a list with something else in it", e);
      for (const e of document.querySelectorAll("button, input:not([type=hidden]), select, .cards a")) if (e.getBoundingClientRect().height < 24) say("under 24 pixels high", e);
      return out;
    });
    assert.deepEqual(faults, []);
    await tab.context().close();
  });
}

// The rules of WCAG 2.2 A and AA that a program can judge, and the best practices.
for (const name of names) {
  for (const options of [{colorScheme: "light"}, {colorScheme: "dark"}, {viewport: {width: 390, height: 800}}]) {
    test(`${name}: axe finds nothing, ${JSON.stringify(options)}`, async () => {
      const tab = await open(name, options);
      const {passes, violations} = await tab.evaluate(`${axe}; axe.run(document, {resultTypes: ["violations"]}).then(r => ({passes: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120) + " " + n.failureSummary).join(" | "))}))`);
      assert.deepEqual(violations, []);
      assert.ok(passes > 10, `${passes} rules passed`);
      await tab.context().close();
    });
  }
}

test("is used from the keyboard: to the content, a retry, a key's halves", async () => {
  const tab = await open("full");
  await tab.keyboard.press("Tab");
  assert.equal(await tab.evaluate(() => document.activeElement.className), "skip");
  assert.ok(await tab.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0));
  const seen = [];
  for (let i = 0; i < 60; i++) {
    await tab.keyboard.press("Tab");
    const at = await tab.evaluate(() => {
      const e = document.activeElement, r = e.getBoundingClientRect();
      return {name: (e.getAttribute("aria-label") || e.textContent).trim().slice(0, 40), tag: e.tagName, outlined: getComputedStyle(e).outlineStyle !== "none", inside: r.right > 0 && r.bottom > 0 && r.top < innerHeight};
    });
    if (at.tag === "BODY") break;
    assert.ok(at.outlined && at.inside, `${at.tag} ${at.name}: outlined ${at.outlined}, in sight ${at.inside}`);
    seen.push(`${at.tag} ${at.name}`);
  }
  for (const want of ["BUTTON Retry job 4711", "INPUT", "SELECT", "SUMMARY", "BUTTON Sign out", "DIV Jobs by kind and state"]) assert.ok(seen.some(s => s.startsWith(want)), `${want} is not reached: ${seen.join("; ")}`);
  await tab.focus("summary");
  await tab.keyboard.press("Enter");
  assert.ok(await tab.locator("details ul").first().isVisible());
  await tab.focus('button[aria-label="Retry job 4711"]');
  await Promise.all([tab.waitForURL(/retry$/), tab.keyboard.press("Enter")]);
  assert.deepEqual(posted.pop(), {path: "/jobs/retry", body: "csrf=csrf-of-the-test&job=4711"});
  await tab.context().close();
});

test("asks for what a filter says", async () => {
  const tab = await open("many");
  await tab.fill("#repo", "service-1");
  await tab.selectOption("#state", "open");
  await tab.keyboard.press("Tab");
  await tab.click("form.tools button");
  assert.equal(new URL(tab.url()).search, "?repo=service-1&state=open");
  await tab.context().close();
});

// contrasts are all texts of the page that stand out too little from what is behind them.
const contrasts = tab => tab.evaluate(() => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const out = new Set(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let n = 0;
  for (let t = texts.nextNode(); t; t = texts.nextNode()) {
    const e = t.parentElement;
    if (!t.data.trim() || !e.checkVisibility()) continue;
    let behind = e;
    while (behind.parentElement && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(rgb(getComputedStyle(behind).backgroundColor))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    n++;
    if (ratio < 4.5) out.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${t.data.trim().slice(0, 30)}`);
  }
  return {n, low: [...out]};
});

for (const colorScheme of ["light", "dark"]) {
  for (const name of ["full", "empty", "many", "login-wrong"]) {
    test(`${name} can be read in ${colorScheme} colours`, async () => {
      const tab = await open(name, {colorScheme});
      const {n, low} = await contrasts(tab);
      assert.deepEqual(low, []);
      assert.ok(n >= 5, `${n} texts`);
      await tab.screenshot({path: join(pictures, `page-${name}-${colorScheme}.png`), fullPage: name === "full"});
      await tab.context().close();
    });
  }
}

for (const name of names) {
  test(`${name} fits a telephone, and a page zoomed to 400 %, without scrolling sideways`, async () => {
    for (const width of [390, 320]) {
      const tab = await open(name, {viewport: {width, height: 800}});
      assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}: ${await tab.evaluate(() => document.documentElement.scrollWidth)}`);
      if (width === 390) await tab.screenshot({path: join(pictures, `page-${name}-narrow.png`), fullPage: name === "full"});
      await tab.context().close();
    }
  });
}

test("500 rotations and 200 repositories open at once", async () => {
  const tab = await open("many");
  const took = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  assert.ok(took < 5000, `${took} ms`);
  assert.equal(await tab.locator("ol.list > li").count(), 40);
  assert.equal(await tab.locator("article").count(), 25);
  await tab.context().close();
});
