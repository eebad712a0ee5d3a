import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../src/protocol';
import * as text from '../src/text';

/** One case is one line: what goes in, what must come out. */
function check<I, O>(name: string, run: (input: I) => O, cases: [I, O][]): void {
  for (const [input, output] of cases) {
    test(`${name} ${JSON.stringify(input)}`, () => assert.deepEqual(run(input), output));
  }
}

check('cutStatus', text.cutStatus, [
  ['Claude · 14:32 · Add retry to the loader', 'Claude · 14:32 · Add retry to the loader'],
  ['Claude · 14:32 · Add retry to the loader and to the uploader', 'Claude · 14:32 · Add retry to the loader and to t…'],
  ['Codex · 3 Nov · Say hello · and good bye to everybody here', 'Codex · 3 Nov · Say hello · and good bye to ever…'],
  ['Claude · 14:32 · 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀', 'Claude · 14:32 · 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀'],
  ['Claude', 'Claude'],
]);

check('stillReading', text.stillReading, [
  [{ done: 312, total: 1001 }, 'Still reading: 312 of 1,001 sessions. This line is not known yet.'],
]);

const state = (address: string | null) => ({ label: '', description: '', at: '', address, text: `${address}` });
check('lastOfEachTurn', (addresses: (string | null)[]) => text.lastOfEachTurn(addresses.map(state)).map((s) => s.address), [
  [['a:2.4', 'a:2.1', null, 'a:1.7', 'b:1.3'], ['a:2.4', 'a:1.7', 'b:1.3']],
  [[null], []],
]);

check('noSessions', text.noSessions, [
  [[], 'No agent sessions found.'],
  [['~/.claude'], 'No agent sessions found. Looked in ~/.claude.'],
  [['~/.claude', '~/.codex', '~/.gemini'], 'No agent sessions found. Looked in ~/.claude, ~/.codex, … (3 places).'],
]);

check('turnOf', text.turnOf, [
  ['9f3c1a2b:12.7.3', '9f3c1a2b:12'],
  ['9f3c1a2b:12', '9f3c1a2b:12'],
  ['9f3c1a2b', '9f3c1a2b'],
  ['@:last', '@:last'],
]);

check('addressInUri', text.addressInUri, [
  ['turnlens://claude-code/9f3c1a2b-7d14/12/add-retry.trace.md', '9f3c1a2b-7d14:12'],
  ['turnlens://claude-code/9f3c1a2b-7d14/add-retry.trace.md', '9f3c1a2b-7d14'],
  ['turnlens://claude-code/9f3c1a2b-7d14/12.7/output.txt', undefined],
  ['turnlens://list/sessions/fetchd-1a2b/sessions.trace.md', undefined],
  ['file:///a/b/c.trace.md', undefined],
]);

check('withoutCount', text.withoutCount, [
  ['Turn 12 · Add retry to the loader (3 files)', 'Turn 12 · Add retry to the loader'],
  ['Turn 12 · Split (in two) files', 'Turn 12 · Split (in two) files'],
]);

check('next turn', (address: string) => text.turnBeside(address, 1), [
  ['9f3c:2.4', '9f3c:3'],
  ['9f3c', undefined],
  ['@:last', undefined],
]);

check('previous turn', (address: string) => text.turnBeside(address, -1), [
  ['9f3c:2.4', '9f3c:1'],
  ['9f3c:1', undefined],
]);

check('asArgument', text.asArgument, [
  [undefined, {}],
  ['x', {}],
  [{ scheme: 'file', path: '/a.rs' }, {}],
  [{ address: '9f3c:1', more: 1 }, { address: '9f3c:1' }],
  [{ addresses: ['a:1', 2] }, { addresses: ['a:1'] }],
  [
    { uri: 'file:///a', range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } } },
    { uri: 'file:///a', range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } } },
  ],
  [{ uri: 'file:///a', range: 'b' }, { uri: 'file:///a' }],
  [{ document: { uri: 'turnlens://x/y' } }, { document: { uri: 'turnlens://x/y' } }],
]);

const NOW = new Date(2026, 10, 20, 15, 0);

check('dayOf', (time: Date) => text.dayOf(time, NOW), [
  [new Date(2026, 10, 20, 0, 0), 'Today'],
  [new Date(2026, 10, 20, 23, 59), 'Today'],
  [new Date(2026, 10, 19, 23, 59), 'Yesterday'],
  [new Date(2026, 10, 3, 9, 12), '3 November'],
  [new Date(2025, 10, 20, 9, 12), '20 November 2025'],
]);

function session(id: string, ended: Date, more: Partial<Session> = {}): Session {
  const started = new Date(ended.getTime() - 60_000).toISOString();
  return {
    id,
    agent: 'claude-code',
    agentName: 'Claude',
    title: id,
    cwd: '/',
    started,
    ended: ended.toISOString(),
    turns: 1,
    edits: 1,
    files: 1,
    here: true,
    address: id,
    document: `turnlens://claude-code/${id}/x.trace.md`,
    label: id,
    description: '',
    ...more,
  };
}

const SESSIONS = [
  session('old', new Date(2026, 10, 3, 10)),
  session('elsewhere', new Date(2026, 10, 20, 14, 50), { here: false }),
  session('new', new Date(2026, 10, 20, 14, 40)),
  session('read only', new Date(2026, 10, 20, 14, 30), { edits: 0 }),
  session('also new', new Date(2026, 10, 20, 14, 20)),
];

test('inOrder: this repository first, then by time', () => {
  assert.deepEqual(
    text.inOrder(SESSIONS).map((s) => s.id),
    ['new', 'read only', 'also new', 'old', 'elsewhere'],
  );
});

test('byDay: newest day first', () => {
  assert.deepEqual(
    text.byDay(SESSIONS, NOW).map((g) => [g.day, g.sessions.map((s) => s.id)]),
    [
      ['Today', ['elsewhere', 'new', 'read only', 'also new']],
      ['3 November', ['old']],
    ],
  );
});

test('justEnded: those that edited here within the hour', () => {
  assert.deepEqual(
    text.justEnded(SESSIONS, NOW).map((s) => s.id),
    ['new', 'also new'],
  );
});

test('nested', () => {
  assert.deepEqual(text.nested({ recentHours: 24, 'codeLens.scope': 'auto', 'document.a': 1, 'document.b': [] }), {
    recentHours: 24,
    codeLens: { scope: 'auto' },
    document: { a: 1, b: [] },
  });
});
