// How lines and files came to be: picks whose rows show their diff while one moves through them.

import * as vscode from 'vscode';
import { openDiff } from './changes';
import { lines, placeOf, textDocument } from './place';
import type { CommandArgument, HistoryEntry } from './protocol';
import type { Server } from './server';
import { mention, show } from './show';

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

/** Every known state of the file; the one that is picked is held against the file as it is now. */
export async function showFileHistory(server: Server, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const history = await server.request('turnlens/fileHistory', { textDocument: textDocument(place) });
  const rows = (history?.entries ?? []).map((entry) => ({ ...asItem(entry), entry }));
  if (rows.length === 0) return mention('No state of this file is known.');
  const now = place.uri.toString();
  const picked = await vscode.window.showQuickPick(rows, { placeHolder: 'Compare which state with now?', matchOnDescription: true });
  if (picked === undefined) return;
  await openDiff(picked.entry.text, now, `${picked.label} ↔ now`, { preview: true });
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
