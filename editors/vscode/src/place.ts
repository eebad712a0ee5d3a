// What a command is about: the place that it was given, else the cursor's.

import * as vscode from 'vscode';
import type { Position, Range } from 'vscode-languageserver-types';
import type { CommandArgument, LineInfo } from './protocol';
import type { Server } from './server';
import { asRange } from './show';
import { behind } from './sides';
import { addressInUri } from './text';

export interface Place {
  uri: vscode.Uri;
  range: vscode.Range;
}

/** The place in the argument, else the selection of the editor in front. */
export function placeOf(argument: CommandArgument): Place | undefined {
  if (argument.uri !== undefined && argument.range !== undefined) {
    return { uri: vscode.Uri.parse(argument.uri), range: asRange(argument.range) };
  }
  const editor = vscode.window.activeTextEditor;
  return editor === undefined ? undefined : { uri: behind(editor.document.uri), range: editor.selection };
}

export function textDocument(place: Place): { uri: string } {
  return { uri: place.uri.toString() };
}

/** Parameters of a request about the line where the place's cursor stands. */
export function at(place: Place): { textDocument: { uri: string }; position: Position } {
  const position = place.range instanceof vscode.Selection ? place.range.active : place.range.start;
  return { textDocument: textDocument(place), position };
}

/** The whole lines of a place; a selection that ends at the beginning of a line does not take that line. */
export function lines(place: Place): Range {
  const { start, end } = place.range;
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { start: { line: start.line, character: 0 }, end: { line: last + 1, character: 0 } };
}

/** The address of a line: of its origin in code, of its step in a trace. */
export function addressIn(info: LineInfo | null): string | undefined {
  return info?.origin?.address ?? info?.address ?? undefined;
}

/** The address that a command is about: the one it was given, else the line's. */
export async function addressOf(server: Server, argument: CommandArgument): Promise<string | undefined> {
  if (argument.address !== undefined) return argument.address;
  const place = placeOf(argument);
  if (place === undefined) return undefined;
  return addressIn(await server.request('turnlens/line', at(place))) ?? addressInUri(place.uri.toString());
}
