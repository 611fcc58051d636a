import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { root } from "../package/workspace.ts";
import type { BrowserFixture, SuiteResult } from "./suite.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

test("codec, bundled, gives NumPy's values in a browser", async (t) => {
  t.timeout(240_000);
  if (!existsSync(CHROMIUM) && process.env["CI"] === undefined) {
    t.log(`there is no ${CHROMIUM}: set CHROMIUM to one, or install it as .ci/run does`);
    t.pass();
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "npystream-browser-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bundle = await build({
    entryPoints: [join(root, "test/browser/suite.ts")],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "suite",
    platform: "browser",
    conditions: ["@npystream/source"],
  });
  const script = bundle.outputFiles[0]?.text ?? "";
  t.true(script.length > 10_000);
  const server = createServer((request, response) => {
    response.setHeader("content-type", request.url === "/suite.js" ? "text/javascript" : "text/html");
    response.end(request.url === "/suite.js" ? script : '<!doctype html><script src="/suite.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => void server.close());
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"],
  });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  const errors: unknown[] = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const { checks, failures } = (await page.evaluate(
    // `suite` is the bundle's global.
    (given) => (globalThis as unknown as { suite: { runSuite(json: string): SuiteResult } }).suite.runSuite(given),
    JSON.stringify(readFixtures(folder)),
  )) satisfies SuiteResult;
  t.deepEqual(errors, []);
  t.deepEqual(failures, []);
  t.true(checks > 2000, `${checks} checks`);
});

function readFixtures(folder: string): BrowserFixture[] {
  execFileSync("python3", [join(root, "test/fixtures/generate.py"), folder]);
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Omit<BrowserFixture, "base64">[];
  return expected.map((fixture) => ({
    ...fixture,
    base64: readFileSync(join(folder, "valid", fixture.file)).toString("base64"),
  }));
}
