// From a line to its turn and back.

import * as vscode from 'vscode';
import { addressOf, at, placeOf, type Place } from './place';
import type { CommandArgument, Shown } from './protocol';
import type { Server } from './server';
import { asRange, isTrace, mention, plainRange, type Reports, show } from './show';
import { asShown, stillReading, turnBeside } from './text';

/** From where the turn of a line was opened last, and where that led: the same key leads back to that very place. */
interface Trip {
  from: { uri: string; selection: vscode.Selection };
  to: { uri: string; line: number };
}

let trip: Trip | undefined;

/** Opens the turn that wrote a line; where nobody knows it, says why. */
export async function openTurn(server: Server, argument: CommandArgument): Promise<void> {
  if (argument.document !== undefined) return void (await show(argument.document));
  if (argument.address !== undefined) return server.execute('turnlens.server.show', { address: argument.address });
  const place = placeOf(argument);
  if (place === undefined) return;
  const info = await server.request('turnlens/line', { ...at(place), ask: true });
  if (info?.origin?.document) {
    const from = { uri: place.uri.toString(), selection: new vscode.Selection(place.range.start, place.range.end) };
    const { document, selection } = await show(info.origin.document);
    trip = { from, to: { uri: document.uri.toString(), line: selection.active.line } };
    return;
  }
  if (info?.origin) return server.execute('turnlens.server.show', { address: info.origin.address });
  await tellUnknown(place, info?.reading ? stillReading(info.reading) : info?.message);
}

/** What is said of a line that nobody is known to have written, with the two ways on. */
export async function tellUnknown(place: Place, message: string | null | undefined): Promise<void> {
  const text = message ?? 'No recorded turn wrote this line.';
  const button = await vscode.window.showInformationMessage(text, 'Explain', 'Line History');
  const argument = { uri: place.uri.toString(), range: plainRange(place.range) };
  if (button === 'Explain') await vscode.commands.executeCommand('turnlens.explainLine', argument);
  if (button === 'Line History') await vscode.commands.executeCommand('turnlens.showLineHistory', argument);
}

/** From a line of a trace to the line of code, as it is now. */
export async function openCode(server: Server, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const info = await server.request('turnlens/line', at(place));
  if (info?.code) await show(asLeft(place, info.code));
  if (info?.message || !info?.code) mention(info?.message ?? 'No line of code belongs to this line.');
}

/** The code of a trace's line: where it is the line that one came from, with the cursor as it was there. */
function asLeft(place: Place, code: Shown): Shown {
  if (trip === undefined || code.range === undefined) return code;
  const { from, to } = trip;
  const isThere = place.uri.toString() === to.uri && place.range.end.line === to.line;
  const isBack = vscode.Uri.parse(code.uri).toString() === from.uri && code.range.start.line === from.selection.start.line;
  return isThere && isBack ? { uri: code.uri, range: plainRange(from.selection) } : code;
}

/** The turn in a peek below the line. */
export async function peekTurn(server: Server, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const peek = await server.request('turnlens/peek', at(place));
  if (peek === null) {
    const info = await server.request('turnlens/line', { ...at(place), ask: true });
    return tellUnknown(place, info?.reading ? stillReading(info.reading) : info?.message);
  }
  const target = asShown(peek.document);
  const range = peek.range ?? target.range;
  const uri = vscode.Uri.parse(target.uri);
  await vscode.workspace.openTextDocument(uri);
  const location = new vscode.Location(uri, range ? asRange(range) : new vscode.Position(0, 0));
  await vscode.commands.executeCommand('editor.action.peekLocations', place.uri, place.range.start, [location], 'peek');
}

export async function explainLine(server: Server, reports: Reports, argument: CommandArgument): Promise<void> {
  const place = placeOf(argument);
  if (place === undefined) return;
  const explanation = await server.request('turnlens/explain', at(place));
  if (explanation?.document) await show(explanation.document);
  else await reports.show('explanation.txt', explanation?.text ?? 'Not known.');
}

/** The next or previous block of lines that an agent wrote, over files. */
export async function goToChange(server: Server, direction: 'next' | 'previous'): Promise<void> {
  const place = placeOf({});
  if (place === undefined) return;
  const location = await server.request('turnlens/next', { ...at(place), direction });
  if (location === null) mention(`No ${direction} agent change.`);
  else await show(location, { preserveFocus: false });
}

/** In a session: to the heading of the turn beside the cursor's. In a document of one turn: to that turn's document. */
export async function goToTurn(server: Server, by: 1 | -1): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || !isTrace(editor.document)) return;
  const headings = await turnHeadings(editor.document);
  const line = editor.selection.active.line;
  const beside = by === 1 ? headings.find((h) => h > line) : headings.findLast((h) => h < line);
  if (beside !== undefined) {
    const position = new vscode.Position(beside, 0);
    editor.selection = new vscode.Selection(position, position);
    editor.revealRange(new vscode.Range(position, position), vscode.TextEditorRevealType.AtTop);
    return;
  }
  if (headings.length > 1) return;
  const address = turnBeside((await addressOf(server, {})) ?? '', by);
  if (address !== undefined) await server.execute('turnlens.server.show', { address });
}

/** The lines of the turns' headings, from the outline: text in a fence that looks like a heading is none. */
async function turnHeadings(document: vscode.TextDocument): Promise<number[]> {
  const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
    'vscode.executeDocumentSymbolProvider',
    document.uri,
  );
  return (symbols ?? [])
    .filter((symbol) => /^Turn \d/.test(symbol.name))
    .map((symbol) => symbol.selectionRange.start.line)
    .sort((a, b) => a - b);
}
