// What is checked, in the order in which it is run. Each check begins with the editor in focus and nothing above it.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './workbench.mjs';

const SHOTS = path.join(ROOT, 'target/screenshots');

async function shot(bench, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  await bench.page.screenshot({ path: path.join(SHOTS, `vscode-${name}.png`) });
}

/** Thrown by a check that cannot be made here. */
export class Skip extends Error {}

function must(what, truth, seen) {
  if (!truth) throw new Error(`${what}; seen: ${JSON.stringify(seen)}`);
}

const same = (what, seen, wanted) => must(`${what} should be ${JSON.stringify(wanted)}`, JSON.stringify(seen) === JSON.stringify(wanted), seen);

/** A word of a line, and the column (from 1) in its middle. */
function wordIn({ text }) {
  const found = /[A-Za-z_]{4,}/.exec(text);
  return { word: found[0], column: found.index + 2 };
}

const fileName = (facts) => facts.file.split('/').at(-1);
const isTraceTab = (tab) => tab?.endsWith('.trace.md');

async function openTurnOf(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line, 3);
  await bench.chord('Control+k', 'a');
  await bench.until('a trace', async () => isTraceTab(await bench.activeTab()));
  await bench.until('the selected line', async () => (await bench.position()).selected > 0);
}

/** Until the tab of the file is in front with the cursor on a line. */
const backAt = (bench, facts, line) =>
  bench.until(`${fileName(facts)}:${line}`, async () => (await bench.activeTab()) === fileName(facts) && (await bench.position()).line === line);

async function startsQuietly(bench, facts) {
  await bench.open(facts.file);
  await bench.until('a lens', async () => (await bench.lensRows()).length > 0, 60_000);
  const notifications = await bench.notifications();
  same('notifications at the start', notifications, []);
}

async function lensOnHeads(bench, facts) {
  const rows = await bench.until('lens rows', async () => {
    const found = await bench.lensRows();
    return found.some(({ text }) => / · .+ · /.test(text)) && found;
  });
  for (const { text, box } of rows) {
    const line = await bench.lineBelow(box);
    must(`the line below "${text}" is a head, without indentation`, /^\S/.test(line ?? ''), line);
  }
  await shot(bench, 'lens');
  const counted = [];
  for (const file of facts.sources) {
    await bench.open(file.name);
    const found = await bench.until(`lenses in ${file.name}`, async () => {
      const drawn = await bench.lensRows();
      return (drawn.length > 0 || file.known === 0) && drawn;
    });
    const allowed = Math.max(3, Math.ceil(file.lines / 15));
    must(`at most ${allowed} lens rows in ${file.name}`, found.length <= allowed, found);
    counted.push(`${file.name} ${found.length}`);
  }
  await bench.open(facts.file);
  return [...rows.map(({ text }) => text), ...counted].join(' ‖ ');
}

async function statusBar(bench, facts) {
  await bench.goTo(facts.known.line);
  const text = await bench.until('a status text', () => bench.status('line'));
  must('agent, time, title', /^\S+ · .+ · .+/.test(text), text);
  await bench.goTo(facts.unknown.line);
  await bench.until('no status text on a line of nobody', async () => (await bench.status('line')) === '');
  return text;
}

async function hoverBelowTheOther(bench, facts) {
  const { links } = await hoverLooksRight(bench, facts, 18);
  await shot(bench, 'hover');
  for (const link of links) await linkLeadsOn(bench, facts, link);
  await bench.putBack();
  return links.join(', ');
}

async function compactHover(bench, facts) {
  await bench.set('turnlens.hover.code', 'compact');
  const { links, drawn } = await hoverLooksRight(bench, facts, 10);
  await shot(bench, 'hover-compact');
  await bench.keys('Escape');
  await bench.set('turnlens.hover.code', undefined);
  return `${drawn} lines, ${links.join(', ')}`;
}

/** The hover of a turn's line: below the other's, links in its first line, `most` lines at most. */
async function hoverLooksRight(bench, facts, most) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line, wordIn(facts.known).column);
  await bench.chord('Control+k', 'Control+i');
  const rows = bench.page.locator('.monaco-hover:visible .hover-row');
  await bench.until('two hovers', async () => (await rows.count()) >= 2);
  const texts = await rows.allInnerTexts();
  const own = texts.findIndex((text) => /turn \d+/.test(text));
  must('ours is there', own >= 0, texts);
  must("the other extension's stands above", texts.slice(0, own).some((text) => text.startsWith('neighbour:')), texts);
  const first = rows.nth(own).locator('p').first();
  const links = await first.locator('a').allInnerTexts();
  must('links in the first line', links.length >= 2 && /^turn \d+/.test(links[0]), links);
  const drawn = await rows.nth(own).evaluate(drawnLines);
  must(`at most ${most} lines`, drawn > 0 && drawn <= most, drawn);
  return { links, drawn };
}

/** How many lines of text an element shows, those that had to be broken counted as often as they are. Runs in the page. */
function drawnLines(element) {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const bottoms = [];
  while (texts.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const { width, bottom } of range.getClientRects()) {
      // Bold and coded words of one line do not end at the very same height.
      if (width > 0 && !bottoms.some((other) => Math.abs(other - bottom) < 6)) bottoms.push(bottom);
    }
  }
  return bottoms.length;
}

/** A click on a link of the hover opens something. */
async function linkLeadsOn(bench, facts, link) {
  await bench.calm();
  await bench.open(facts.file);
  await bench.goTo(facts.known.line, wordIn(facts.known).column);
  await bench.chord('Control+k', 'Control+i');
  await bench.page.locator('.monaco-hover:visible .hover-row a').filter({ hasText: link }).first().click();
  const preview = bench.page.locator('.part.panel').getByRole('button', { name: 'Apply' });
  await bench.until(`what "${link}" opens`, async () =>
    (await bench.quickPick.isVisible()) || (await preview.isVisible()) || (await bench.activeTab()) !== fileName(facts));
  same(`notifications after "${link}"`, await bench.notifications(), []);
}

async function lineMenu(bench, facts) {
  await bench.goTo(facts.known.line);
  await bench.until('a status text', () => bench.status('line'));
  await bench.page.locator('[id="turnlens.turnlens.line"] a').click();
  await bench.until('the menu', () => bench.quickPick.isVisible());
  const rows = await bench.until('its rows', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && found;
  });
  same('the menu', rows, ['Open Turn', 'Peek', 'Step Diff', "Turn's Changes", 'Line History', 'Undo Turn…', 'Explain', 'Hide Lenses']);
  await shot(bench, 'menu');
  await bench.keys('Escape');
}

async function turnAndBack(bench, facts) {
  await openTurnOf(bench, facts);
  const selected = await bench.selection();
  same('the selected line', selected.trimEnd(), `+${facts.known.text}`);
  await bench.until('what still stands of the step', async () => (await bench.lensRows()).some(({ text }) => text.includes(' live')));
  await shot(bench, 'turn');
  const back = { 'the same key': () => bench.chord('Control+k', 'a'), 'going back': () => bench.keys('Control+Alt+Minus') };
  for (const [how, press] of Object.entries(back)) {
    await openTurnOf(bench, facts);
    await press();
    await backAt(bench, facts, facts.known.line);
    await bench.until(`the column, by ${how}`, async () => (await bench.position()).column === 3);
    same(`what is selected, by ${how}`, (await bench.position()).selected, 0);
  }
}

async function traceFolds(bench, facts) {
  await openTurnOf(bench, facts);
  must('the line one came for is in sight', await bench.viewLine(`+${facts.known.text}`).isVisible());
  // The thought may lie above what is in sight.
  await bench.keys('Control+Home');
  const folded = await bench.until('a folded thought', () => bench.editor.locator('.codicon-folding-collapsed').count());
  return `${folded} folded`;
}

async function traceOutline(bench, facts) {
  await openTurnOf(bench, facts);
  const ofTurn = await outlineOfTrace(bench);
  await shot(bench, 'outline');
  await bench.keys('Escape');
  await noProblems(bench);
  await bench.open(facts.file);
  await bench.command('Open Session…');
  await bench.until('sessions', async () => (await bench.quickRows())[0]?.includes('sessions that edited this file'));
  await bench.keys('Enter');
  await bench.until('the session', async () => isTraceTab(await bench.activeTab()));
  const ofSession = await outlineOfTrace(bench);
  must('the session has more than the turn', ofSession.length > ofTurn.length, ofSession);
  await shot(bench, 'outline-session');
  await bench.keys('Escape');
  await noProblems(bench);
  // The same linter does find fault in other Markdown.
  await bench.neighbour('Open Markdown');
  await bench.until('a problem in Markdown', async () => !/No Problems|^\s*0\s+0\s*$/.test(await problems(bench)));
  await bench.putBack();
  await bench.until('no problem any more', async () => /No Problems|^\s*0\s+0\s*$/.test(await problems(bench)));
  return ofSession.join(' ‖ ');
}

/** The outline of the trace in front: only turns and what they did. */
async function outlineOfTrace(bench) {
  await bench.keys('Control+Shift+o');
  const rows = await bench.until('an outline', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && !found[0].startsWith('No ') && found;
  });
  const symbols = rows.filter((row) => !/^symbols? \(\d+\)$/i.test(row));
  const kinds = /^(symbols.*\)\s*)?(Turn \d+|\d+(\.\d+)+ (Edit|Write|Delete|Move|Run|Agent) |Context compacted)/;
  must('only turns and their edits, failures, sub-agents', symbols.every((row) => kinds.test(row)), symbols);
  return symbols;
}

async function turnsOfATrace(bench, facts) {
  await openTurnOf(bench, facts);
  const actions = bench.page.locator('.editor-group-container.active .editor-actions .action-label');
  for (const wanted of ['Resume Session', 'Show Changes of Turn', 'Previous Turn', 'Next Turn']) {
    await bench.until(`${wanted} in the title bar`, async () => {
      const labels = await actions.evaluateAll((all) => all.map((action) => action.getAttribute('aria-label') ?? ''));
      return labels.some((label) => label.includes(wanted));
    });
  }
}

async function peek(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line, 3);
  await bench.chord('Control+k', 'Shift+A');
  const widget = bench.page.locator('.peekview-widget');
  await widget.waitFor();
  await bench.until('the step in the peek', async () => (await widget.innerText()).replaceAll('\u00a0', ' ').includes(facts.known.text.trim()));
  await shot(bench, 'peek');
  await bench.keys('Escape');
  await bench.until('the peek is closed', async () => (await widget.count()) === 0);
  same('the place', (await bench.position()).line, facts.known.line);
}

async function lastTurn(bench, facts) {
  await bench.ask('Control+Shift+P', '>last turn');
  await bench.until('the command in the first row', async () => (await bench.quickRows())[0]?.includes('Show Changes of the Last Turn'));
  await bench.keys('Escape', 'Control+Shift+P');
  await bench.until('the empty palette', async () => (await bench.asked()) === '>');
  // Its initials and Enter: four keys.
  const keys = ['c', 'l', 't', 'Enter'];
  for (const key of keys) {
    if (key === 'Enter') await bench.until('the command', async () => (await bench.quickRows())[0]?.includes('Show Changes of the Last Turn'));
    await bench.keys(key);
  }
  await bench.until('the multi-file diff', async () => (await bench.page.locator('.multiDiffEntry').count()) > 0);
  const tab = await bench.activeTab();
  must('the tab names the turn', /^Turn \d+ · .+ \(\d+ files?\)$/.test(tab), tab);
  const files = Number(/\((\d+) files?\)/.exec(tab)[1]);
  const entries = () => bench.page.locator('.multiDiffEntry').count();
  await bench.until('an entry for each file', async () => (await entries()) === files || files > 3);
  await bench.until('the diffs', async () => (await bench.page.locator('.multiDiffEntry .line-insert').count()) > 0);
  await shot(bench, 'last-turn');
  await bench.keys('Control+F4');
  return `${tab}, ${keys.length} keys after the palette`;
}

async function stepDiff(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line);
  await bench.command('Show Step Diff');
  const diff = bench.page.locator('.editor-group-container.active .monaco-diff-editor');
  await bench.until('what the step added', async () => (await diff.locator('.line-insert').count()) > 0);
  await shot(bench, 'step-diff');
  await bench.keys('Control+F4');
}

async function problems(bench) {
  const item = bench.page.locator('[id="status.problems"]');
  return (await item.getAttribute('aria-label')) ?? item.innerText();
}

async function noProblems(bench) {
  const label = await problems(bench);
  must('no problems', /No Problems|^\s*0\s+0\s*$/.test(label), label);
}

const bulbs = (bench) =>
  bench.page.locator(['.lightBulbWidget', '[class*="codicon-light-bulb"]', '[class*="codicon-gutter-lightbulb"]'].map((name) => `.editor-group-container.active ${name}:visible`).join(', '));

async function quietOnEveryLine(bench, facts) {
  if (facts.plain.endsWith('.toml')) {
    // There the other extension has something to offer: a bulb that is lit is seen.
    await bench.open(facts.plain);
    await bench.until('the bulb of the other extension', async () => {
      await bench.keys('ArrowDown');
      return bench.until('a bulb', async () => (await bulbs(bench).count()) > 0, 1000).catch(() => false);
    });
  }
  await bench.open(facts.file);
  await bench.goTo(1);
  for (const { line } of facts.lines) {
    if (line > 1) await bench.keys('ArrowDown');
    await bench.until(`line ${line}`, async () => (await bench.position()).line === line);
    // As long as VS Code itself waits before it lights one.
    await bench.rest(300);
    same(`light bulbs on line ${line}`, await bulbs(bench).count(), 0);
  }
  await noProblems(bench);
  same('notifications', await bench.notifications(), []);
  must('the same tab', (await bench.activeTab()) === fileName(facts), await bench.activeTab());
  const opened = bench.page.locator('.monaco-hover:visible, .peekview-widget:visible, .quick-input-widget:visible, .suggest-widget:visible, .context-view .menu:visible');
  same('what is open above the text', await opened.count(), 0);
  return `${facts.lines.length} lines`;
}

/** What a person sees of a file's structure: folds by indentation, outline, the lines that stay in sight. */
async function structureOf(bench, file, line) {
  await bench.open(file);
  await bench.goTo(1);
  await bench.chord('Control+k', 'Control+0');
  const folded = await bench.until(`folds in ${file}`, () => bench.editor.locator('.codicon-folding-collapsed').count());
  await bench.chord('Control+k', 'Control+j');
  await bench.until('no folds', async () => (await bench.editor.locator('.codicon-folding-collapsed').count()) === 0);
  await bench.keys('Control+Home');
  for (let scrolled = 0; scrolled < line; scrolled += 1) await bench.keys('Control+ArrowDown');
  const sticky = await bench.until(`lines that stay in sight in ${file}`, async () => {
    const seen = await bench.stickyLines();
    return seen.length > 0 && seen;
  });
  await bench.keys('Control+Shift+o');
  const outline = await bench.until('an outline', async () => {
    const found = await bench.quickRows();
    return found.some((row) => row.includes('neighbour')) && found;
  });
  await bench.keys('Escape');
  return { folded, outline, sticky };
}

async function asWithoutTurnlens(bench, facts) {
  const line = facts.known.line + 2;
  const withIt = await structureOf(bench, facts.file, line);
  must("only the other extension's symbols", withIt.outline.every((row) => row.includes('neighbour')), withIt.outline);
  await shot(bench, 'sticky');
  await bench.goTo(1);
  await bench.set('turnlens.enable', false);
  await bench.until('no lenses', async () => (await bench.lensRows()).length === 0);
  const without = await structureOf(bench, facts.file, line);
  await bench.set('turnlens.enable', undefined);
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.until('lenses again', async () => (await bench.lensRows()).length > 0);
  same('folds, outline and sticky lines', withIt, without);
  await bench.chord('Control+k', 'Control+0');
  await bench.until('folds', () => bench.editor.locator('.codicon-folding-collapsed').count());
  await shot(bench, 'folded');
  await bench.chord('Control+k', 'Control+j');
  return `${withIt.folded} folded; ${withIt.sticky.join(' › ')}`;
}

async function workspaceSymbols(bench, facts) {
  const word = (facts.sessions[0]?.title ?? '').split(/\s+/).find((w) => /^\w{4,}$/.test(w));
  await bench.ask('Control+t', `#${word}`);
  const plain = await bench.until('symbols', async () => {
    const found = await bench.quickRows();
    return found.some((row) => row.includes('_neighbour')) && found;
  });
  must('no turn for a plain word', plain.every((row) => row.includes('_neighbour')), plain);
  await bench.keys('Escape');
  await bench.ask('Control+t', `#?${word}`);
  const turns = await bench.until('turns', async () => {
    const found = await bench.quickRows();
    return found.some((row) => row.startsWith('? ')) && found;
  });
  await shot(bench, 'symbols');
  await bench.keys('Escape');
  return turns[0];
}

async function definition(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line, wordIn(facts.known).column);
  const { word } = wordIn(facts.known);
  const first = facts.lines.find(({ text }) => new RegExp(`\\b${word}\\b`).test(text)).line;
  await bench.keys('F12');
  if (first !== facts.known.line) await backAt(bench, facts, first);
  await bench.rest(700);
  same('peeks', await bench.page.locator('.peekview-widget:visible').count(), 0);
  same('the tab', await bench.activeTab(), fileName(facts));
  await bench.goTo(facts.known.line, 2);
  await bench.keys('F12');
  await bench.until('the turn, from the margin', async () => isTraceTab(await bench.activeTab()));
}

/** In a comment that a turn wrote there is no answer of ours, whether the language has one or not. */
async function definitionInAComment(bench, facts) {
  const comment = facts.comment;
  if (!comment) throw new Skip('no turn wrote a comment');
  const { word, column } = wordIn(comment);
  await bench.open(comment.file);
  await bench.goTo(comment.line, column);
  await bench.until('its turn is known', () => bench.status('line'));
  await bench.keys('F12');
  await bench.until("the language's own answer", async () => {
    const { line, column: at } = await bench.position();
    return line !== comment.line || at !== column;
  });
  const staysHere = async () => {
    same('peeks', await bench.page.locator('.peekview-widget:visible').count(), 0);
    same('the tab', await bench.activeTab(), comment.file.split('/').at(-1));
  };
  await staysHere();
  // Between the marks of the comment the language has none, and then nobody has.
  await bench.goTo(comment.line, comment.mark + 1);
  await bench.keys('F12');
  await bench.until('that there is none', async () => /No definition found/.test((await bench.page.locator('.monaco-editor-overlaymessage').allInnerTexts()).join()));
  await staysHere();
  same('the cursor', await bench.position(), { line: comment.line, column: comment.mark + 1, selected: 0 });
  return `${comment.file}:${comment.line}, ${word}`;
}

/** For so long keys come: TYPING_SECONDS=60 for the whole minute. */
const TYPING_SECONDS = Number(process.env.TYPING_SECONDS ?? 4);

async function typingMovesNoLens(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.until('lenses', async () => (await bench.lensRows()).length > 0);
  await bench.goTo(facts.known.line);
  await bench.keys('End');
  // The lenses may be asked for anew after the cursor's jump.
  await bench.rest(1500);
  const names = async () => (await bench.lensRows()).map(({ text }) => text);
  const before = await names();
  const seen = new Set();
  const began = Date.now();
  let keys = 0;
  for (; Date.now() - began < TYPING_SECONDS * 1000; keys += 1) {
    // Words, now and then a line, and every other line is taken away again.
    const key = keys % 40 === 39 ? 'Control+Shift+K' : keys % 20 === 19 ? 'Enter' : keys % 5 === 4 ? 'Space' : 'x';
    await bench.keys(key);
    await bench.rest(80);
    seen.add(JSON.stringify(await names()));
  }
  same('lens rows while keys come', [...seen], [JSON.stringify(before)]);
  // Opened again it is as it lies on the disk.
  await bench.open(facts.file);
  await bench.until('the file as it was', async () => (await bench.page.locator('.editor-group-container.active .tab.active.dirty').count()) === 0);
  return `${before.length} rows, ${keys} keys in ${TYPING_SECONDS} s`;
}

async function unknownLine(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line);
  await bench.until('a status text', () => bench.status('line'));
  const { column } = wordIn(facts.unknown);
  await bench.goTo(facts.unknown.line, column);
  await bench.until('nothing in the status bar', async () => (await bench.status('line')) === '');
  await bench.chord('Control+k', 'Control+i');
  const hovers = bench.page.locator('.monaco-hover:visible .hover-row');
  await bench.until("the other extension's hover", async () => (await hovers.count()) > 0);
  const told = await hovers.allInnerTexts();
  must('no hover of ours', told.every((text) => text.startsWith('neighbour:')), told);
  await bench.keys('Escape');
  const toast = bench.page.locator('.notification-toast:visible').first();
  await bench.chord('Control+k', 'a');
  const began = Date.now();
  await toast.waitFor();
  const took = Date.now() - began;
  const text = (await toast.innerText()).replace(/\s+/g, ' ').trim();
  must('the words', /No recorded turn wrote this line\.( Last commit: [0-9a-f]{7,}, .+\.| Not committed yet\.)?/.test(text), text);
  await bench.until('the buttons', async () => /Explain[^]*Line History/.test(await toast.innerText()));
  await shot(bench, 'unknown-line');
  await toast.getByText('Explain', { exact: true }).click();
  await bench.until('an explanation', async () => {
    const tab = (await bench.activeTab()) ?? '';
    return tab !== fileName(facts) && (tab.startsWith('explanation') || tab.endsWith('.trace.md'));
  });
  await bench.until('its text', async () => (await bench.editor.innerText()).replaceAll('\u00a0', ' ').includes(`:${facts.unknown.line}`));
  const buttons = bench.page.locator('.editor-group-container.active .editor-actions .action-label[aria-label*="Turn"]');
  await bench.until('no button of a turn', async () => (await buttons.count()) === 0);
  await shot(bench, 'explain');
  return `${text} (${took} ms after the key)`;
}

async function copies(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line);
  const copied = async (title, looks) => {
    await bench.page.evaluate(() => navigator.clipboard.writeText(''));
    await bench.command(title);
    return bench.until(`${title} on the clipboard`, async () => {
      const text = await bench.clipboard();
      return looks.test(text) && text;
    });
  };
  const address = await copied('Copy Turn Address', /^[^\s:]{4,}:\d+$/);
  const told = await copied('Copy Turn as Markdown', /^## .+/);
  must('the prompt, and the address at the end', /^> .+/m.test(told) && told.trimEnd().endsWith(address), told);
  const resume = await copied('Copy Resume Command', /resume/);
  return `${address}; ${resume}`;
}

async function sessions(bench, facts) {
  await bench.open(facts.file);
  await bench.command('Open Session…');
  const rows = await bench.until('sessions', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && !found[0].includes('Turnlens:') && found;
  });
  must('those of this file first', rows[0].includes('sessions that edited this file'), rows);
  must('the titles', facts.sessions.some(({ title }) => rows[0].includes(title)), rows);
  await shot(bench, 'sessions');
  await bench.keys('Enter');
  await bench.until('the session', async () => isTraceTab(await bench.activeTab()));
  await bench.until('what still stands of it', async () => (await bench.lensRows()).some(({ text }) => / live \| /.test(text)));
  await bench.until('a folded thought', () => bench.editor.locator('.codicon-folding-collapsed').count());
  await shot(bench, 'session');
  return rows[0];
}

async function sessionsView(bench, facts) {
  await bench.page.locator('.activitybar [aria-label="Turnlens"]').first().click();
  const row = bench.page.locator('.pane-body .monaco-list-row').filter({ hasText: facts.sessions[0].title }).first();
  await row.waitFor();
  await shot(bench, 'view');
  const rows = (await bench.page.locator('.pane-body .monaco-list-row:visible').allInnerTexts()).map((t) => t.replace(/\s+/g, ' ').trim());
  await bench.keys('Control+b');
  return rows.join(' ‖ ');
}

async function lineHistory(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(facts.known.line);
  await bench.command('Show Line History');
  await bench.until('entries', async () => (await bench.quickRows()).some((row) => /^\d+\.\d+/.test(row)));
  await bench.until('the diff behind it', async () => (await bench.page.locator('.editor-group-container.active .monaco-diff-editor:visible').count()) > 0);
  await shot(bench, 'history');
  const rows = await bench.quickRows();
  await bench.keys('Escape');
  await backAt(bench, facts, facts.known.line);
  return rows.join(' ‖ ');
}

async function fileHistory(bench, facts) {
  await bench.open(facts.file);
  await bench.command('Show File History');
  const rows = await bench.until('states', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && !found[0].includes('Show File History') && found;
  });
  await bench.keys('Enter');
  await bench.until('the diff with now', async () => (await bench.activeTab())?.includes('↔ now'));
  await bench.goTo(facts.known.line, wordIn(facts.known).column);
  await bench.chord('Control+k', 'Control+i');
  const hover = bench.page.locator('.monaco-hover:visible .hover-row').filter({ hasText: /turn \d+/ });
  await bench.until('our hover in a diff editor', async () => (await hover.count()) > 0);
  await shot(bench, 'diff-hover');
  await bench.putBack();
  return rows.join(' ‖ ');
}

/** A state of the file that was never committed is put back into the editor, and nowhere else. */
async function restoresAState(bench, facts) {
  await bench.open(facts.file);
  await bench.command('Compare File with Turn…');
  const turns = await statesInPick(bench);
  must('states that a turn left', turns.every((row) => /^\d+\.\d+ /.test(row)), turns);
  await bench.keys('Escape');
  await bench.command('Show File History');
  await statesInPick(bench);
  const oldest = bench.quickPick.locator('.monaco-list-row').last();
  await bench.until('a file that is not saved', async () => {
    if (await bench.quickPick.isVisible()) {
      await oldest.hover({ timeout: 1000 }).catch(() => undefined);
      await oldest.locator('[aria-label^="Restore"]').click({ timeout: 1000 }).catch(() => undefined);
    }
    return (await bench.changedFiles()).length > 0;
  });
  same('the tab', await bench.activeTab(), fileName(facts));
  await bench.until('the text of then', async () => !(await bench.editor.innerText()).replaceAll('\u00a0', ' ').includes(facts.known.text.trim()));
  await shot(bench, 'restored');
  await bench.keys('Control+z');
  await bench.until('one undo takes it back', async () => (await bench.changedFiles()).length === 0);
  await bench.viewLine(facts.known.text).waitFor();
  return `${turns.length} turns`;
}

/** A file that is gone comes back as a file that is not saved yet. */
async function restoresADeletedFile(bench, facts) {
  if (!facts.disposable) throw new Skip('only where the repository is of this run');
  const gone = facts.sources.toSorted((a, b) => b.known - a.known).find(({ name }) => name !== facts.file).name;
  const file = path.join(bench.repo, gone);
  const text = fs.readFileSync(file, 'utf8');
  fs.rmSync(file);
  try {
    await bench.open(facts.file);
    await bench.command('Restore Deleted File…');
    const rows = await bench.until('files that are gone', async () => {
      const found = await bench.quickRows();
      return found.some((row) => row.startsWith(gone)) && found;
    });
    await shot(bench, 'deleted');
    await bench.choose(gone);
    await bench.until('the file in the first row', async () => (await bench.quickRows())[0]?.startsWith(gone));
    await bench.keys('Enter');
    await bench.until('its tab, not saved', async () => (await bench.changedFiles()).some((tab) => tab.includes(gone.split('/').at(-1))));
    await bench.viewLine(text.split('\n').find((line) => line.trim() !== '')).waitFor();
    must('nothing is written', !fs.existsSync(file));
    await shot(bench, 'deleted-restored');
    await bench.putBack();
    return rows.join(' ‖ ');
  } finally {
    fs.writeFileSync(file, text);
  }
}

const statesInPick = (bench) =>
  bench.until('states', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && /\d+\.\d+|commit/.test(found[0]) && found;
  });

async function search(bench, facts) {
  const word = facts.sessions[0].title.split(/\s+/).find((w) => /^\w{4,}$/.test(w));
  await bench.open(facts.file);
  await bench.ask('Control+Shift+P', '>search sess');
  await bench.until('the command in the first row', async () => (await bench.quickRows())[0]?.includes('Search Sessions…'));
  await bench.keys('Enter');
  await bench.until('the question', async () => (await bench.quickPick.isVisible()) && (await bench.asked()) === '');
  await bench.choose(word);
  const rows = await bench.until('hits', async () => {
    const found = await bench.quickRows();
    return found.length > 0 && found[0].includes(' · turn ') && found;
  });
  must('the word in each hit', rows.every((row) => row.toLowerCase().includes(word.toLowerCase())), rows);
  await shot(bench, 'search');
  await bench.choose('/(/');
  await bench.until('no hit for half a pattern', async () => (await bench.quickRows()).every((row) => !row.includes(' · turn ')));
  await bench.choose(word);
  await bench.until('hits again', async () => (await bench.quickRows())[0]?.includes(' · turn '));
  await bench.keys('Enter');
  await bench.until('the trace', async () => isTraceTab(await bench.activeTab()));
  return `${rows.length} hits; ${rows[0]}`;
}

/** It is shown first; then buffers change and no file; undone it is all as before. */
async function undoOfATurn(bench, facts) {
  const onDisk = () => facts.sources.map(({ name }) => fs.readFileSync(path.join(bench.repo, name), 'utf8'));
  const before = onDisk();
  await bench.open(facts.file);
  await bench.goTo(facts.known.line);
  await bench.until('a status text', () => bench.status('line'));
  await bench.command('Undo Turn…');
  await bench.until('turns', async () => /Claude|Codex|Gemini/.test((await bench.quickRows())[0] ?? ''));
  await bench.keys('Enter');
  const apply = bench.page.locator('.part.panel').getByRole('button', { name: 'Apply' });
  await bench.until('its words', async () => /Undo turn \d+: (\d+ of )?\d+ hunks? in \d+ files?\./.test(await bench.page.locator('.statusbar').innerText()));
  await apply.waitFor();
  const rows = async () => (await bench.page.locator('.part.panel .monaco-list-row').allInnerTexts()).map((row) => row.replaceAll('\u00a0', ' '));
  await bench.until('the file in the preview', async () => (await rows()).some((row) => row.startsWith(fileName(facts))));
  await bench.until('the line in the preview', async () => (await rows()).some((row) => row.includes(facts.known.text.trim())));
  same('changed files while it is shown', await bench.changedFiles(), []);
  await shot(bench, 'undo');
  await apply.click();
  await bench.until('the line is gone', async () => (await bench.viewLine(facts.known.text).count()) === 0);
  const changed = await bench.until('changed files', async () => {
    const files = await bench.changedFiles();
    return files.length > 0 && files;
  });
  same('what is written', onDisk(), before);
  await shot(bench, 'undone');
  await bench.keys('Control+1', 'Control+z');
  // In several files at once VS Code asks whether all are meant.
  const all = bench.page.locator('.monaco-dialog-box').getByRole('button', { name: /^Undo in \d+ Files/ });
  await bench.until('all as before', async () => {
    if (await all.isVisible()) await all.click();
    return (await bench.changedFiles()).length === 0;
  });
  await bench.viewLine(facts.known.text).waitFor();
  return changed.join(', ');
}

async function nextAndPrevious(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.command('Go to Next Agent Change');
  const place = () => Promise.all([bench.activeTab(), bench.position()]).then(([tab, { line }]) => ({ tab, line }));
  const first = facts.lines.find(({ known, line }) => known && line > 1).line;
  await backAt(bench, facts, first);
  await bench.command('Go to Next Agent Change');
  const next = await bench.until('another place', async () => {
    const now = await place();
    return now.tab && now.line && (now.line !== first || now.tab !== fileName(facts)) && now;
  });
  await bench.command('Go to Previous Agent Change');
  await backAt(bench, facts, first);
  return JSON.stringify(next);
}

async function newest(bench) {
  await bench.command('Go to Newest Agent Change');
  await bench.until('a line with a turn', () => bench.status('line'));
}

async function doctor(bench) {
  await bench.command('Doctor');
  await bench.until('its findings', async () => /session/.test(await bench.editor.innerText()) && (await bench.activeTab())?.startsWith('doctor'));
}

async function toggleLenses(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.until('lenses', async () => (await bench.lensRows()).length > 0);
  await bench.command('Toggle Lenses');
  await bench.until('no lenses', async () => (await bench.lensRows()).length === 0);
  await bench.command('Toggle Lenses');
  await bench.until('lenses again', async () => (await bench.lensRows()).length > 0);
}

async function lensClick(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(1);
  const lens = bench.page.locator('.editor-group-container.active .codelens-decoration a').filter({ hasText: / · .+ · .*\d/ });
  const turn = lens.filter({ hasNotText: /lines$/ }).first();
  await turn.click();
  await bench.until('the turn', async () => isTraceTab(await bench.activeTab()));
  await bench.until('lenses that say what still stands', async () => (await bench.lensRows()).some(({ text }) => /^\d+ of \d+ lines? live/.test(text)));
  await shot(bench, 'trace-lenses');
  return (await bench.lensRows()).map(({ text }) => text).join(' ‖ ');
}

async function walkthrough(bench) {
  await bench.command('Get Started');
  await bench.page.getByText('What was found').first().waitFor();
  await bench.page.locator('.gettingStartedContainer webview, .gettingStartedContainer iframe, .getting-started-media').first().waitFor();
  await bench.rest(500);
  await shot(bench, 'walkthrough');
  await bench.keys('Control+F4');
}

async function settingsTakeEffect(bench, facts) {
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.until('lenses', async () => (await bench.lensRows()).length > 0);
  await bench.set('turnlens.codeLens.scope', 'off');
  await bench.until('no lenses', async () => (await bench.lensRows()).length === 0);
  await bench.set('turnlens.codeLens.scope', undefined);
  await bench.until('lenses again', async () => (await bench.lensRows()).length > 0);
}

/** The end of a growing trace stays in sight while the cursor is on its last line; else not one line moves. */
async function liveTrace(bench, facts) {
  const log = newestLog(facts.home);
  if (!log) throw new Skip('no log of Claude Code');
  await bench.open(facts.file);
  await bench.command('Open Session…');
  await bench.until('sessions', async () => (await bench.quickRows())[0]?.includes('sessions that edited this file'));
  await bench.choose(log.title(facts.sessions));
  await bench.until('the session in the first row', async () => (await bench.quickRows())[0]?.includes(log.title(facts.sessions)));
  await bench.keys('Enter');
  await bench.until('the session', async () => isTraceTab(await bench.activeTab()));
  await bench.keys('Control+End');
  for (const word of ['first', 'second', 'third']) {
    log.say(`The ${word} thing said later.\n\n${'And a line more.\n\n'.repeat(20)}The end of the ${word}.`);
    await bench.until(`the end of the ${word}`, () => bench.viewLine(`The end of the ${word}.`).isVisible().catch(() => false));
  }
  await shot(bench, 'live');
  await bench.keys('Control+Home');
  await bench.until('its beginning', async () => (await bench.viewLine('# ').isVisible()) && (await bench.lensRows()).some(({ text }) => / live/.test(text)));
  // The header's second line names the moment of the last record, which is now a later one.
  const screen = async () => (await bench.editor.innerText()).replace(/\s–\s\d\d:\d\d(?=\s[+-]\d\d:\d\d\s·\ssession)/, '');
  const top = await screen();
  log.say('The end of the fourth.');
  await bench.rest(2500);
  same('the first screen', await screen(), top);
  // It has grown all the same.
  await bench.keys('Control+End');
  await bench.until('the end of the fourth', () => bench.viewLine('The end of the fourth.').isVisible().catch(() => false));
}

/** The log that a session of Claude Code wrote last, and a way to let it grow. */
function newestLog(home) {
  const projects = path.join(home, '.claude/projects');
  if (!fs.existsSync(projects)) return undefined;
  const files = fs.readdirSync(projects, { recursive: true }).map((name) => path.join(projects, name));
  const logs = files.filter((file) => /[0-9a-f-]{36}\.jsonl$/.test(file));
  const [file] = logs.sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
  const id = path.basename(file, '.jsonl');
  const records = () => fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  return {
    title: (sessions) => sessions.find((session) => session.id === id).title,
    say(text) {
      const said = records().filter((record) => record.uuid);
      const model = said.findLast((record) => record.type === 'assistant');
      const message = { ...model.message, id: `msg_${said.length}`, content: [{ type: 'text', text }] };
      const record = { ...model, message, uuid: crypto.randomUUID(), parentUuid: said.at(-1).uuid, timestamp: new Date().toISOString() };
      fs.appendFileSync(file, `${JSON.stringify(record)}\n`);
    },
  };
}

async function withoutServer(bench, facts) {
  await bench.open(facts.file);
  await bench.set('turnlens.server.path', '/nowhere/turnlens');
  await bench.until('the words', async () =>
    (await bench.notifications()).some((text) => text.includes('turnlens was not found on PATH. Set turnlens.server.path or install it: cargo install turnlens.')));
  await bench.until('the sign', async () => (await bench.status('line')).includes('Turnlens'));
  // Whatever else would be said comes with it.
  await bench.rest(500);
  await shot(bench, 'without-server');
  same('messages', (await bench.notifications()).length, 1);
  await bench.clearNotifications();
  await bench.set('turnlens.server.path', facts.server);
  await bench.open(facts.file);
  await bench.goTo(1);
  await bench.until('lenses again', async () => (await bench.lensRows()).length > 0);
}

/** A command of ours, and what it says. */
async function says(bench, command, words) {
  await bench.command(command);
  const text = await bench.until(`the words of ${command}`, async () => {
    const [toast] = await bench.notifications();
    return toast?.replace(/\s+/g, ' ').trim();
  });
  must(`the words of ${command}`, words.test(text), text);
  await shot(bench, `nothing-${command.split(' ')[0].toLowerCase()}`);
  await bench.neighbour('Put All Back');
  return text;
}

/** In a folder without git, with no home and no logs. */
async function nothingIsSaidUnasked(bench) {
  await bench.open('alone.rs');
  await bench.goTo(3, 3);
  // Whatever would be said comes by then.
  await bench.rest(3000);
  same('notifications', await bench.notifications(), []);
  same('lens rows', await bench.lensRows(), []);
  same('status', await bench.status('line'), '');
  same('the tab', await bench.activeTab(), 'alone.rs');
  await noProblems(bench);
}

async function saidWhenAsked(bench) {
  const looked = /Add Folder Open Demo No agent sessions found\./;
  const texts = [];
  for (const command of ['Open Session…', 'Show Changes of the Last Turn', 'Go to Newest Agent Change', 'Copy Resume Command']) {
    await bench.open('alone.rs');
    texts.push(await says(bench, command, looked));
  }
  await bench.open('alone.rs');
  texts.push(await says(bench, 'Open Turn of This Line', /No recorded turn wrote this line\./));
  return texts.join(' ‖ ');
}

/** What holds where there is nothing: no logs, no git, no home. */
export const CHECKS_OF_NOTHING = [
  { name: 'nothing: no message unasked', run: nothingIsSaidUnasked, always: true },
  { name: 'nothing: words when asked', run: saidWhenAsked },
];

export const CHECKS = [
  { name: 'starts quietly', run: startsQuietly, always: true },
  { name: 'lens on heads', run: lensOnHeads },
  { name: 'status bar', run: statusBar },
  { name: 'line menu', run: lineMenu },
  { name: 'hover below the other', run: hoverBelowTheOther },
  { name: 'compact hover', run: compactHover },
  { name: 'turn and back', run: turnAndBack },
  { name: 'trace folds', run: traceFolds },
  { name: 'trace outline', run: traceOutline },
  { name: 'trace title bar', run: turnsOfATrace },
  { name: 'lens click', run: lensClick },
  { name: 'peek', run: peek },
  { name: 'last turn', run: lastTurn },
  { name: 'step diff', run: stepDiff },
  { name: 'line history', run: lineHistory },
  { name: 'file history', run: fileHistory },
  { name: 'restores a state', run: restoresAState },
  { name: 'restores a deleted file', run: restoresADeletedFile },
  { name: 'search', run: search },
  { name: 'undo of a turn', run: undoOfATurn },
  { name: 'next and previous', run: nextAndPrevious },
  { name: 'newest', run: newest },
  { name: 'quiet on every line', run: quietOnEveryLine },
  { name: 'structure as without Turnlens', run: asWithoutTurnlens },
  { name: 'workspace symbols', run: workspaceSymbols },
  { name: 'definition', run: definition },
  { name: 'definition in a comment', run: definitionInAComment },
  { name: 'typing moves no lens', run: typingMovesNoLens },
  { name: 'toggle lenses', run: toggleLenses },
  { name: 'unknown line', run: unknownLine },
  { name: 'copies', run: copies },
  { name: 'sessions', run: sessions },
  { name: 'sessions view', run: sessionsView },
  { name: 'doctor', run: doctor },
  { name: 'walkthrough', run: walkthrough },
  { name: 'settings take effect', run: settingsTakeEffect },
  { name: 'live trace', run: liveTrace },
  { name: 'without a server', run: withoutServer },
];
