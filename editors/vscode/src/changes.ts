// Diffs: of a step, of a turn over all its files.

import * as vscode from 'vscode';
import { addressOf, at, placeOf } from './place';
import type { CommandArgument, FileChange, HistoryEntry } from './protocol';
import type { Server } from './server';
import { tellNothing } from './sessions';
import { isOurs, mention, plainRange } from './show';
import { sideOf } from './sides';
import { justEnded, turnOf, withoutCount } from './text';

export async function showStepDiff(server: Server, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  const params = argument.address !== undefined ? { address: argument.address } : place && at(place);
  if (params === undefined) return;
  const diff = await server.request('turnlens/stepDiff', params);
  if (diff === null) return mention('No recorded step wrote this line.');
  await openDiff(diff.before, diff.after, diff.title, {
    preview: true,
    selection: new vscode.Range(diff.line, 0, diff.line, 0),
  });
}

export async function openDiff(
  before: string,
  after: string,
  title: string,
  options: vscode.TextDocumentShowOptions,
): Promise<void> {
  await vscode.commands.executeCommand('vscode.diff', vscode.Uri.parse(before), vscode.Uri.parse(after), title, options);
}

/** A turn's changes in the multi-file diff. A session alone stands for its last turn that edited. */
export async function showTurnChanges(server: Server, argument: CommandArgument): Promise<void> {
  const address = argument.address ?? (await pickTurn(server, 'The changes of which turn?'));
  if (address === undefined) return;
  const turn = address.includes(':') ? turnOf(address) : `${address}:last`;
  const changes = await server.request('turnlens/turnChanges', { address: turn });
  if (changes === null || changes.files.length === 0) return mention('This turn changed no file.');
  await vscode.commands.executeCommand('vscode.changes', withoutCount(changes.title), changes.files.map(sides));
}

/** One row of the multi-file diff; a side that there is not is left out. */
function sides(file: FileChange): [vscode.Uri, vscode.Uri | undefined, vscode.Uri | undefined] {
  const before = file.created ? undefined : sideOf(file.before, file.path);
  const after = file.deleted ? undefined : sideOf(file.after, file.path);
  return [vscode.Uri.parse(file.uri), before, after];
}

/** The last turn; where several sessions ended just now, the person says which. */
export async function showLastTurnChanges(server: Server): Promise<void> {
  const { sessions } = await server.request('turnlens/sessions', {});
  if (sessions.length === 0) return tellNothing(server, 'No agent has worked in this folder.');
  const candidates = justEnded(sessions, new Date());
  if (candidates.length < 2) return showTurnChanges(server, { address: '@:last' });
  const pick = await vscode.window.showQuickPick(
    candidates.map((s) => ({ label: s.title, description: s.description, address: s.address })),
    { placeHolder: 'The last turn of which session?' },
  );
  if (pick !== undefined) await showTurnChanges(server, { address: pick.address });
}

type TurnPick = vscode.QuickPickItem & { address: string };

/** In a trace its turn; in code a pick: the line's turn first, then the others that wrote in this file. */
export async function pickTurn(server: Server, placeHolder: string): Promise<string | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) return '@:last';
  const own = await addressOf(server, {});
  if (isOurs(document)) return own;
  const items: TurnPick[] = turns(await historyOfFile(server, document));
  const mine = items.findIndex((item) => own !== undefined && item.address === turnOf(own));
  if (mine > 0) items.unshift(...items.splice(mine, 1));
  if (items.length === 0) return '@:last';
  return (await vscode.window.showQuickPick(items, { placeHolder }))?.address;
}

/** The steps that wrote what stands in a file. */
export async function historyOfFile(server: Server, document: vscode.TextDocument): Promise<HistoryEntry[]> {
  const range = new vscode.Range(0, 0, document.lineCount, 0);
  const history = await server.request('turnlens/history', { textDocument: { uri: document.uri.toString() }, range: plainRange(range) });
  return history?.entries ?? [];
}

/** One row for each turn among the steps. */
export function turns(entries: HistoryEntry[]): TurnPick[] {
  const rows = new Map<string, TurnPick>();
  for (const { address, label, description } of entries) {
    if (!address) continue;
    const turn = turnOf(address);
    if (!rows.has(turn)) rows.set(turn, { label, description, address: turn });
  }
  return [...rows.values()];
}
