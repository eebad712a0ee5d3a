// Shows documents, places and texts.

import * as vscode from 'vscode';
import type { Shown } from './protocol';
import { LANGUAGE, SCHEME } from './server';
import { asShown } from './text';

export function asRange(range: NonNullable<Shown['range']>): vscode.Range {
  return new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
}

/** A range as the protocol has it; VS Code's own becomes a list of two positions when it is sent. */
export function plainRange({ start, end }: vscode.Range): NonNullable<Shown['range']> {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/** Whether a document is a trace: a virtual one, or its read-only file where virtual documents are switched off. */
export function isTrace(document: vscode.TextDocument): boolean {
  return document.languageId === LANGUAGE;
}

/** Whether a document is one of ours at all: a trace, a file at a step, an output. */
export function isOurs(document: vscode.TextDocument): boolean {
  return document.uri.scheme === SCHEME || isTrace(document);
}

/** Opens a place as a preview tab, its lines selected and in the middle of the view. */
export async function show(
  place: string | Shown,
  options: vscode.TextDocumentShowOptions = {},
): Promise<vscode.TextEditor> {
  const { uri, range } = asShown(place);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const selection = range === undefined ? undefined : wholeLine(asRange(range), document);
  const editor = await vscode.window.showTextDocument(document, { preview: true, ...options, selection });
  if (selection !== undefined) editor.revealRange(selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  return editor;
}

/** In a trace a bare position means its line, which is then selected; in code it stays a position. */
function wholeLine(range: vscode.Range, document: vscode.TextDocument): vscode.Range {
  return range.isEmpty && isTrace(document) ? document.validateRange(document.lineAt(document.validatePosition(range.start)).range) : range;
}

/** Said in passing, without a notification. */
export function mention(text: string): void {
  vscode.window.setStatusBarMessage(text, 5000);
}

/** Read-only documents whose text is at hand: the doctor's findings, an explanation. */
export class Reports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly scheme = 'turnlens-report';
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(this.scheme, this);
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? '';
  }

  async show(name: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: this.scheme, path: `/${name}` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
