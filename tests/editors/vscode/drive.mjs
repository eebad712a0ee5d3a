// Drives a real VS Code workbench with the packed extension over a repository with agents' logs, and holds what is
// drawn against what the server's own command line says. It knows nothing of the repository beforehand.
//
//   node tests/editors/vscode/drive.mjs --demo DIR [--server BIN] [--vsix FILE] [--only WORD] [--keep]
//   node tests/editors/vscode/drive.mjs --repo DIR --home DIR …
//
// --demo DIR has DIR/repo and DIR/home. Without any of them `BIN demo` makes one. Exit 0: all passed, 1: a check
// failed, 77: skipped, the workbench or Chromium is missing. Pictures: target/screenshots/vscode-*.png.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKS, CHECKS_OF_NOTHING, Skip } from './checks.mjs';
import { readFacts } from './facts.mjs';
import { environment, ROOT, startWorkbench, whatIsMissing } from './workbench.mjs';

const { values } = parseArgs({
  options: {
    demo: { type: 'string' },
    repo: { type: 'string' },
    home: { type: 'string' },
    server: { type: 'string', default: path.join(ROOT, 'target/debug/turnlens') },
    vsix: { type: 'string', default: path.join(ROOT, 'editors/vscode/turnlens.vsix') },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
});
const server = path.resolve(values.server);
/** After so many failed checks the rest is not tried. */
const ALLOWED = 5;
/** So often a check is tried. */
const TRIES = 3;
const SHOTS = path.join(ROOT, 'target/screenshots');

const missing = whatIsMissing();
if (missing) {
  console.error(`skipped: missing ${missing}`);
  process.exit(77);
}
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'turnlens-drive-'));
const { repo, home } = places();
// A copy, for a check lets a session grow.
const ownHome = path.join(work, 'home');
fs.cpSync(home, ownHome, { recursive: true, preserveTimestamps: true });
const env = environment(ownHome, path.join(work, 'cache'));
const disposable = !values.repo && !values.demo;
const facts = { ...readFacts({ server, repo, env }), home: ownHome, server, disposable };
console.log(`${facts.file}: line ${facts.known.line} is a turn's, line ${facts.unknown.line} nobody's`);

let failed = 0;
const settings = { 'turnlens.server.path': server };
await runAll(CHECKS, facts, { repo, vsix: values.vsix, env, settings });
if (failed < ALLOWED) {
  const alone = path.join(work, 'alone');
  fs.mkdirSync(alone);
  fs.writeFileSync(path.join(alone, 'alone.rs'), 'fn one() {\n    two();\n    three();\n}\n');
  const nobody = environment(undefined, path.join(work, 'cache'));
  await runAll(CHECKS_OF_NOTHING, facts, { repo: alone, vsix: values.vsix, env: nobody, settings });
}
fs.rmSync(work, { recursive: true, force: true });
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Starts a workbench and makes the checks in it that were asked for. */
async function runAll(checks, facts, surroundings) {
  const chosen = checks.filter((check) => check.name.includes(values.only));
  if (chosen.length === 0) return;
  const { bench, tmp, close } = await startWorkbench(surroundings);
  for (const check of checks.filter((check) => check.always || chosen.includes(check))) {
    await runOne(check, bench, facts);
    // A workbench that has lost its way makes every check wait for nothing.
    if (failed === ALLOWED) break;
    await bench.calm().catch(() => undefined);
  }
  await close();
  if (values.keep || failed > 0) console.log(`logs: ${tmp}`);
  else fs.rmSync(tmp, { recursive: true, force: true });
}

/** A workbench on a busy machine swallows a key or draws late: what fails is tried again, and says so. */
async function runOne({ name, run }, bench, facts) {
  const began = Date.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const seen = await run(bench, facts);
      const changed = await bench.changedFiles();
      if (changed.length > 0) throw new Error(`it leaves changes in ${changed}`);
      return report('PASS', tries > 1 ? `${name} (try ${tries})` : name, began, seen);
    } catch (error) {
      if (error instanceof Skip) return report('SKIP', name, began, error.message);
      if (tries < TRIES) {
        console.log(`again: ${name}: ${told(error)}`);
      } else {
        failed += 1;
        report('FAIL', name, began, told(error));
        await shot(bench, `FAIL-${name}`);
      }
      await bench.putBack().catch(() => undefined);
      if (tries === TRIES) return;
    }
  }
}

function places() {
  if (values.repo && values.home) return { repo: path.resolve(values.repo), home: path.resolve(values.home) };
  const demo = path.resolve(values.demo ?? makeDemo());
  return { repo: path.join(demo, 'repo'), home: path.join(demo, 'home') };
}

function makeDemo() {
  const folder = path.join(work, 'demo');
  execFileSync(server, ['demo', '--dir', folder], { stdio: 'pipe' });
  return folder;
}

function report(verdict, name, began, note = '') {
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`${verdict} ${seconds.padStart(5)} s  ${name}${note ? `: ${note}` : ''}`);
}

function told(error) {
  return String(error.message).split('\n')[0];
}

async function shot(bench, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  await bench.page.screenshot({ path: path.join(SHOTS, `vscode-${name.replace(/[^\w-]+/g, '-')}.png`) });
}
