// What only the editor can do for a trace: fold it on first sight, keep its growing end in view.

import * as vscode from 'vscode';
import { setting } from './settings';
import { isTrace } from './show';

export class TraceViews implements vscode.Disposable {
  private readonly folded = new Set<string>();
  private readonly atEnd = new WeakMap<vscode.TextEditor, boolean>();
  private readonly subscriptions: vscode.Disposable[];

  constructor() {
    this.subscriptions = [
      vscode.window.onDidChangeActiveTextEditor((editor) => void (editor && this.fold(editor))),
      // With its tab a document loses its folds, even while the text lives on.
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { input } of closed) if (input instanceof vscode.TabInputText) this.folded.delete(input.uri.toString());
      }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.note(textEditor)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.follow(document)),
    ];
    if (vscode.window.activeTextEditor) void this.fold(vscode.window.activeTextEditor);
  }

  /**
   * Folds what the server marks as a comment (thoughts, dead ends) once for each tab. The ranges are asked for
   * first, for the command folds only what the editor knows by then; the line one came for is laid open again.
   */
  private async fold(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const name = document.uri.toString();
    if (!isTrace(document) || this.folded.has(name)) return;
    this.folded.add(name);
    const ranges = await vscode.commands.executeCommand<vscode.FoldingRange[] | undefined>(
      'vscode.executeFoldingRangeProvider',
      document.uri,
    );
    if (!ranges?.some((range) => range.kind === vscode.FoldingRangeKind.Comment)) return;
    // The command acts on the editor in front; where that is another by now, this one has its turn when it comes back.
    if (!inFront(document)) return void this.folded.delete(name);
    await vscode.commands.executeCommand('editor.foldAllBlockComments');
    if (!inFront(document)) return void this.folded.delete(name);
    const line = editor.selection.active.line;
    await vscode.commands.executeCommand('editor.unfold', { direction: 'up', levels: 9, selectionLines: [line] });
    if (line > 0) editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private note(editor: vscode.TextEditor): void {
    if (isTrace(editor.document)) this.atEnd.set(editor, editor.selection.active.line >= editor.document.lineCount - 1);
  }

  /** A refreshed document moves the cursor with its end, but not the view. */
  private follow(document: vscode.TextDocument): void {
    if (!isTrace(document) || !setting('document.followEnd', true)) return;
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document !== document || !this.atEnd.get(editor)) continue;
      const end = document.lineAt(document.lineCount - 1).range.end;
      editor.selection = new vscode.Selection(end, end);
      editor.revealRange(new vscode.Range(end, end));
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}

function inFront(document: vscode.TextDocument): boolean {
  return vscode.window.activeTextEditor?.document === document;
}
