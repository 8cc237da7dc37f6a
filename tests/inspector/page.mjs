// Drives the Inspector's page in a browser, as a person would, and prints what it showed as JSON.
// Usage: node page.mjs ADDRESS SCREENSHOT. CHROMIUM names the browser, which reaches nothing but this machine.
import { chromium } from "playwright-core";

const [address, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
});

try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  page.setDefaultTimeout(60_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));

  const press = (name) => page.getByRole("button", { name }).click();
  const shown = (beginning) => page.getByText(beginning).first().innerText();
  const type = (field, text) => page.getByRole("textbox", { name: new RegExp(`^${field}\\b`) }).fill(text);
  const call = async (tool, fields) => {
    await press(tool);
    for (const [field, text] of Object.entries(fields)) {
      await type(field, text);
    }
    await press("Execute Tool");
  };

  await page.goto(address);
  await page.getByRole("switch", { name: "Connect or disconnect" }).click({ force: true });
  const protocol = await shown(/^MCP \d/);
  await page.getByText("Tools", { exact: true }).first().click();
  await press("Close monitoring sidebar");

  await call("list-plans", { integrationIdOrSlug: "brindle", productIdOrSlug: "brindle-postgres" });
  const plans = await shown(/^\d+ plans/);

  await call("create-store", {
    name: "orders",
    integrationConfigurationId: "icfg_BrindleData000000000001",
    integrationProductIdOrSlug: "brindle-postgres",
    metadata: '{"region": "fra1"}',
    billingPlanId: "pro",
  });
  const form = page.getByRole("dialog", { name: "Elicitation Request" });
  const question = await form.getByText("Buy a store").innerText();
  const fields = await form.getByRole("textbox").count();
  await type("Type 20.00 to buy", "20.00");
  await page.screenshot({ path: screenshot, animations: "disabled" });
  await press("Submit");
  const answer = await shown(/^created: /);

  await press("Disconnect from server");
  await page.getByText("Disconnected", { exact: true }).first().waitFor();
  console.log(JSON.stringify({ protocol, plans, question, fields, answer, errors }));
} finally {
  await browser.close();
}
