// Drives the made-up report in Chromium. Not part of `cargo test`:
//
//   cargo run -p jarre-eval --example report_page -- report.html 10000
//   npm install --no-save playwright-core
//   CHROMIUM=/usr/bin/chromium node crates/eval/tests/browser/page.mjs report.html
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(resolve("package.json"))("playwright-core");
const address = pathToFileURL(resolve(process.argv[2] ?? "report.html")).href;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const problems = [];

const open = async (hash = "") => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  watch(page);
  await page.goto(address + hash);
  return page;
};

/** Takes down whatever goes wrong on a page. */
const watch = page => {
  page.on("console", message => { if (["error", "warning"].includes(message.type())) problems.push(message.text()); });
  page.on("pageerror", error => problems.push(String(error)));
  page.on("dialog", dialog => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
};
const hash = page => page.evaluate(() => location.hash);
const chip = (page, name) => page.locator(".mx-chip", { hasText: new RegExp(`^${name} `) });
const count = async (page, name) => Number((await chip(page, name).innerText()).split(" ").at(-1));
const shown = async page => Number((await page.locator(".mx-status").innerText()).split(" ")[0]);
const title = page => page.locator("dialog.dr[open] h3").innerText();

const checks = {
  async "each filter shows as many items as its chip says, and stands in the address"() {
    const page = await open();
    const total = await count(page, "All");
    for (const name of ["Failures", "Passes", "Errors", "Unscored", "Different", "Highlights", "Regressed", "Improved"]) {
      await chip(page, name).click();
      assert.equal(await shown(page), await count(page, name), name);
      assert.ok(await shown(page) < total, `${name} leaves something out`);
      assert.equal(await hash(page), `#filter=${name.toLowerCase()}`);
    }
    assert.ok(await count(page, "Highlights") <= await count(page, "Regressed") + await count(page, "Improved"));
  },

  async "a link restores a view, and the back button the one before"() {
    const page = await open("#filter=regressed&base=step+by+step&sort=worse&q=box&metric=edit_distance");
    assert.equal(await chip(page, "Regressed").getAttribute("aria-pressed"), "true");
    const fields = await page.locator(".mx-fields select").evaluateAll(all => all.map(field => field.selectedOptions[0].textContent));
    assert.deepEqual(fields, ["edit_distance", "step by step", "largest loss against the baseline first"]);
    assert.equal(await page.locator(".mx-fields input").inputValue(), "box");
    const before = await shown(page);
    await chip(page, "All").click();
    await page.locator(".mx-body .mx-row").first().click();
    assert.match(await hash(page), /item=lamp-/);
    await page.goBack();
    assert.equal(await page.locator("dialog[open]").count(), 0, "back closes the drawer");
    await page.goBack();
    assert.equal(await shown(page), before, "back goes to the filter before");
    await page.goForward();
    await page.goForward();
    assert.match(await title(page), /^Item lamp-/, "forward opens it again");
  },

  async "a link to a section of the page leaves the view alone"() {
    const page = await open("#filter=errors");
    const before = await shown(page);
    await page.locator("nav a", { hasText: "Provenance" }).click();
    assert.equal(await hash(page), "#provenance");
    assert.equal(await shown(page), before);
    await page.locator(".failures a").first().click();
    assert.match(await title(page), /^Item lamp-/);
  },

  async "the keyboard alone goes through the matrix and the drawer"() {
    const page = await open();
    await page.locator(".mx-frame").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "PageDown"]) await page.keyboard.press(key);
    const active = () => page.evaluate(() => {
      const row = document.getElementById(document.querySelector(".mx-frame").getAttribute("aria-activedescendant"));
      return row.querySelector(".mx-key").textContent;
    });
    const key = await active();
    await page.keyboard.press("Enter");
    assert.equal(await title(page), `Item ${key}`);
    await page.keyboard.press("ArrowRight");
    const next = await title(page);
    assert.notEqual(next, `Item ${key}`);
    await page.keyboard.press("k");
    assert.equal(await title(page), `Item ${key}`);
    await page.keyboard.press("d");
    assert.match(await hash(page), /diff=off/);
    assert.equal(await page.locator("dialog ins, dialog del").count(), 0);
    await page.keyboard.press("d");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog[open]").count(), 0);
    assert.ok(await page.evaluate(() => document.activeElement.classList.contains("mx-frame")), "the focus returns to the matrix");
    await page.keyboard.press("End");
    assert.equal(await active(), await page.locator(".mx-body .mx-row:not([hidden]) .mx-key").evaluateAll(all => all.map(key => key.textContent).sort().at(-1)));
  },

  async "a search finds words of any text, as they are typed"() {
    const page = await open();
    await page.keyboard.press("/");
    await page.keyboard.type("LAMP-00042 box");
    await page.waitForFunction(() => document.querySelector(".mx-status").textContent.startsWith("1 "));
    assert.equal(await hash(page), "#q=LAMP-00042+box");
    assert.equal(await page.evaluate(() => history.length), 2, "letters leave no steps for the back button");
    await page.locator(".mx-fields input").fill("nothing has this");
    await page.waitForFunction(() => document.querySelector(".mx-status").textContent.startsWith("0 "));
    await page.locator(".mx-frame").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("dialog[open]").count(), 0, "there is nothing to open");
  },

  async "words that differ from the baseline are marked"() {
    const page = await open("#item=lamp-00003");
    const marks = await page.locator("dialog .dr-column").nth(1).locator("ins, del").evaluateAll(all => all.map(mark => `${mark.localName} ${mark.textContent}`));
    assert.deepEqual(marks, ["del 16", "ins 12"]);
    const text = await page.locator("dialog .dr-column").nth(0).locator("pre").first().innerText();
    assert.match(text, /^<\/script><script>alert\(1\)<\/script><!--<img src=x onerror=alert\(2\)>⟨U\+2028⟩⟨U\+0000⟩⟨U\+202E⟩/);
    assert.equal(await page.locator("dialog img, dialog script").count(), 0);
  },

  async "the policy refuses what the page does not bring"() {
    const page = await browser.newPage();
    await page.goto(address);
    const refused = await page.evaluate(async () => {
      const events = [];
      document.addEventListener("securitypolicyviolation", event => events.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      const image = document.createElement("p");
      image.innerHTML = "<img src='https://example.com/x.png' onerror='window.ran = true'>";
      document.body.append(script, image);
      await new Promise(resolve => setTimeout(resolve, 500));
      return { events: [...new Set(events)].sort(), ran: window.ran === true };
    });
    assert.equal(refused.ran, false);
    assert.deepEqual(refused.events, ["img-src", "script-src-attr", "script-src-elem"]);
  },

  async "only rows in view are elements, however far one scrolls"() {
    const page = await open();
    const { most, worst, mean, frames } = await page.evaluate(async () => {
      const frame = document.querySelector(".mx-frame");
      const bottom = frame.scrollHeight - frame.clientHeight;
      let most = 0;
      const times = [];
      for (let step = 0; step <= 240; step++) {
        // First by part of a screen, then by leaps.
        frame.scrollTop = step < 120 ? step * 300 : bottom * (step - 120) / 120;
        const begun = performance.now();
        frame.dispatchEvent(new Event("scroll"));
        times.push(performance.now() - begun);
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll(".mx-body .mx-row").length);
      }
      return { most, worst: Math.max(...times), mean: times.reduce((a, b) => a + b) / times.length, frames: times.length };
    });
    const script = `script ${mean.toFixed(2)} ms on average, ${worst.toFixed(2)} ms at most`;
    console.log(`  ${await shown(page)} items: at most ${most} rows in the document; ${frames} scrolls, ${script}`);
    assert.ok(most < 60, `${most} rows`);
    const last = await page.locator(".mx-body .mx-row:not([hidden]) .mx-key").allInnerTexts();
    assert.ok(last.includes(`lamp-${String(await shown(page) - 1).padStart(5, "0")}`), "the last item is there at the end");
  },
};

try {
  for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(`ok ${name}`);
  }
  assert.deepEqual(problems, [], "no error, no warning, no dialog, no violation of the policy");
} finally {
  await browser.close();
}
