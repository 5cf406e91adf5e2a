// Drives the dashboard of made-up runs in Chromium, and takes its pictures. Not part of `cargo test`:
//
//   cargo run -p jarre-agent --features server --example dashboard -- 8700 a-secret-for-the-browser &
//   npm install --no-save playwright-core
//   CHROMIUM=/usr/bin/chromium node crates/agent/tests/browser/dashboard.mjs http://127.0.0.1:8700 a-secret-for-the-browser pictures
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const { chromium } = createRequire(resolve("package.json"))("playwright-core");
const [site, secret, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const problems = [];

/** Takes down whatever goes wrong on a page. */
const watch = page => {
  page.on("console", message => { if (["error", "warning"].includes(message.type())) problems.push(message.text()); });
  page.on("pageerror", error => problems.push(String(error)));
  page.on("dialog", dialog => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", request => { if (!request.url().startsWith(site) && !request.url().startsWith("data:")) problems.push(`asked ${request.url()}`); });
};
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
watch(page);
const picture = async (name, options = {}) => {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), ...options });
};
const badge = () => page.locator("#part-status .badge").innerText();

const checks = {
  async "whoever has not signed in is asked to"() {
    await page.goto(`${site}/`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
  },

  async "the address with the secret signs in and leaves it nowhere"() {
    await page.goto("about:blank");
    await page.goto(`${site}/sign-in#${secret}`);
    await page.waitForURL(`${site}/`);
    assert.equal(await page.evaluate(() => document.cookie), "", "no script can read the cookie");
    assert.ok(!(await page.content()).includes(secret));
    assert.deepEqual(await page.locator("#runs tbody .badge").allInnerTexts(), ["needs approval", "done", "done", "done"]);
    await picture("list");
  },

  async "a question is asked with all that it is about"() {
    await page.locator("#runs tbody a").first().click();
    await page.waitForSelector(".question");
    assert.equal(await badge(), "needs approval");
    assert.match((await page.locator(".question pre").allInnerTexts()).join("\n"), /days_in/);
    await page.getByText("Following the run.").waitFor();
    await picture("question");
  },

  async "what the reader writes outlives news, and an approval lets the run go on by itself"() {
    await page.locator(".question summary", { hasText: "Deny" }).click();
    await page.locator(".question input[name=reason]").fill("half a sent");
    await page.locator(".question button[value=approve]").click();
    await page.waitForURL(`${site}/runs/calendar-4`);
    assert.equal(await page.locator(".question").count(), 0);
    await page.locator("#step-2 details.call summary").first().click();
    await page.getByText("The run is over.").waitFor({ timeout: 60000 });
    assert.equal(await badge(), "done");
    assert.equal(await page.locator("#run-steps > li").count(), 9);
    assert.equal(await page.locator("#part-failures .pair").count(), 1);
    assert.equal(await page.locator("#part-charts figure").count(), 2);
    assert.ok(await page.locator("#step-2 details.call").first().evaluate(details => details.open), "what was unfolded stays so");
    await picture("run", { fullPage: true });
  },

  async "the same page stands still after a reload, light and dark"() {
    await page.reload();
    assert.equal(await page.locator("#run-steps > li").count(), 9);
    await page.emulateMedia({ colorScheme: "dark" });
    await picture("run-dark", { fullPage: true });
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `a narrow screen need not scroll sideways: ${overflow} px`);
    await picture("run-narrow");
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
  },

  async "signing out closes the door"() {
    await page.goto(`${site}/`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${site}/sign-in`);
  },

  async "another site's page can neither frame it nor answer"() {
    const other = await context.newPage();
    await other.setContent(`<form method=post action="${site}/runs/calendar-4/approvals"><input name=token value=x><input name=decision value=approve><button>go</button></form>`);
    const answered = other.waitForResponse(response => response.url().endsWith("/approvals"));
    await other.getByRole("button").click();
    assert.equal((await answered).status(), 403);
  },
};

try {
  for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(`ok ${name}`);
  }
  assert.deepEqual(problems, [], "no error, no warning, no dialog, no violation of the policy, nothing asked of elsewhere");
} finally {
  await browser.close();
}
