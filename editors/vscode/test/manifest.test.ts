// The manifest and the sources name the same commands and settings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CLIENT_COMMANDS, SERVER_COMMANDS } from '../src/protocol';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const contributed: string[] = manifest.contributes.commands.map((c: { command: string }) => c.command);

test('every command that the server may name is contributed', () => {
  assert.deepEqual(CLIENT_COMMANDS.filter((id) => !contributed.includes(id)), []);
});

test("no command has the name of one of the server's own, which the client library registers", () => {
  assert.deepEqual(SERVER_COMMANDS.filter((id) => contributed.includes(id)), []);
});

test('every contributed command is registered', () => {
  const source = readFileSync('src/extension.ts', 'utf8');
  assert.deepEqual(contributed.filter((id) => !source.includes(`    ${id.replace('turnlens.', '')}: (`)), []);
});

test('menus and keys name contributed commands', () => {
  const menus = Object.values(manifest.contributes.menus).flat() as { command: string }[];
  const named = [...menus, ...manifest.contributes.keybindings].map((entry: { command: string }) => entry.command);
  assert.deepEqual(named.filter((id: string) => !contributed.includes(id)), []);
});

test('the program that is run cannot be chosen by a workspace', () => {
  const { properties } = manifest.contributes.configuration;
  assert.equal(properties['turnlens.server.path'].scope, 'machine');
  assert.equal(properties['turnlens.server.extraArgs'].scope, 'machine');
});
