// How lines and files came to be: picks whose rows show their diff while one moves through them.

import * as vscode from 'vscode';
import { openDiff } from './changes';
import { lines, placeOf, textDocument } from './place';
import type { CommandArgument, FileState, HistoryEntry } from './protocol';
import type { Server } from './server';
import { tellNothing } from './sessions';
import { mention, show } from './show';
import { lastOfEachTurn } from './text';

const SHOW_AFTER_MS = 120;

export async function showLineHistory(server: Server, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const history = await server.request('turnlens/history', { textDocument: textDocument(place), range: lines(place) });
  const rows = (history?.entries ?? []).map((entry) => ({ ...asItem(entry), entry }));
  if (rows.length === 0) return mention('Nothing is known of these lines.');
  const picked = await pickWithPreview(rows, 'History of these lines', ({ entry }) => diffOf(entry));
  if (picked?.entry.location) await show(picked.entry.location);
}

type KnownState = FileState & { text: string };
type StateItem = vscode.QuickPickItem & { state: KnownState };

const RESTORE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('discard'), tooltip: 'Restore: Put This Text into the Editor' };

/** Every known state of the file; the one that is picked is held against the file as it is now, or put back. */
export async function showFileHistory(server: Server, argument: CommandArgument): Promise<void> {
  await pickState(server, argument, 'Compare which state with now?', (states) => states);
}

/** The file as each turn left it. */
export async function compareWithTurn(server: Server, argument: CommandArgument): Promise<void> {
  await pickState(server, argument, 'Compare with the file after which turn?', lastOfEachTurn);
}

async function pickState(
  server: Server,
  argument: CommandArgument,
  placeholder: string,
  choose: (states: KnownState[]) => KnownState[],
): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const history = await server.request('turnlens/fileHistory', { textDocument: textDocument(place) });
  const states = (history?.entries ?? []).filter((state): state is KnownState => Boolean(state.text));
  const items = choose(states).map((state) => ({ ...asItem(state), buttons: [RESTORE], state }));
  if (items.length === 0) return mention('No state of this file is known.');
  const pick = vscode.window.createQuickPick<StateItem>();
  Object.assign(pick, { items, placeholder, matchOnDescription: true });
  const [picked, restored] = await new Promise<[StateItem?, boolean?]>((resolve) => {
    pick.onDidAccept(() => resolve([pick.selectedItems[0]]));
    pick.onDidTriggerItemButton(({ item }) => resolve([item, true]));
    pick.onDidHide(() => resolve([]));
    pick.show();
  });
  pick.dispose();
  if (picked === undefined) return;
  if (restored) return restore(place.uri, picked.state);
  await openDiff(picked.state.text, place.uri.toString(), `${picked.label} ↔ now`, { preview: true });
}

/** Puts a state's text into the buffer. Nothing is written: one undo takes it back. */
async function restore(file: vscode.Uri, state: KnownState): Promise<void> {
  const [then, document] = await Promise.all([
    vscode.workspace.openTextDocument(vscode.Uri.parse(state.text)),
    vscode.workspace.openTextDocument(file),
  ]);
  const whole = document.validateRange(new vscode.Range(0, 0, document.lineCount, 0));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, whole, then.getText());
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document);
  mention(`Restored ${state.label}, not saved`);
}

/** A file that is gone, as a file that is new: it is there once it is saved. */
export async function restoreDeletedFile(server: Server): Promise<void> {
  const { entries } = await server.request('turnlens/deletedFiles', {});
  if (entries.length === 0) return tellNothing(server, 'No deleted file is known whose text can be restored.');
  const rows = entries.map((entry) => ({ label: entry.path, description: entry.label, entry }));
  const picked = await vscode.window.showQuickPick(rows, { placeHolder: 'Restore which file?', matchOnDescription: true });
  if (picked === undefined) return;
  const { uri, text, label } = picked.entry;
  const then = await vscode.workspace.openTextDocument(vscode.Uri.parse(text));
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri).with({ scheme: 'untitled' }));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, document.validateRange(new vscode.Range(0, 0, document.lineCount, 0)), then.getText());
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document, { preview: false });
  mention(`Restored ${label}, not saved`);
}

function asItem({ label, description }: { label: string; description: string }): vscode.QuickPickItem {
  return { label, description };
}

function diffOf(entry: HistoryEntry): Diff | undefined {
  return entry.before && entry.after ? { before: entry.before, after: entry.after, title: entry.label } : undefined;
}

interface Diff {
  before: string;
  after: string;
  title: string;
}

/** A pick that shows each row's diff behind itself. Left without a choice, it puts back what was there. */
async function pickWithPreview<T extends vscode.QuickPickItem>(
  items: T[],
  placeholder: string,
  diff: (item: T) => Diff | undefined,
): Promise<T | undefined> {
  const before = vscode.window.activeTextEditor;
  const pick = vscode.window.createQuickPick<T>();
  Object.assign(pick, { items, placeholder, matchOnDescription: true, ignoreFocusOut: true });
  let timer: NodeJS.Timeout | undefined;
  let shown: Promise<void> = Promise.resolve();
  pick.onDidChangeActive(([item]) => {
    clearTimeout(timer);
    const what = item && diff(item);
    if (what === undefined) return;
    timer = setTimeout(() => {
      shown = openDiff(what.before, what.after, what.title, { preview: true, preserveFocus: true });
    }, SHOW_AFTER_MS);
  });
  const chosen = await new Promise<T | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.selectedItems[0]));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
  clearTimeout(timer);
  pick.dispose();
  await shown;
  if (chosen === undefined && before !== undefined) await putBack(before);
  return chosen;
}

async function putBack(editor: vscode.TextEditor): Promise<void> {
  const { document, viewColumn, selection } = editor;
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  await vscode.window.showTextDocument(document, { viewColumn, selection, preview: true });
  if (tab?.isPreview && tab.input instanceof vscode.TabInputTextDiff) await vscode.window.tabGroups.close(tab);
}
