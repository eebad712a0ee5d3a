// The cursor's line: the status bar, the context keys, the text at the line's end.

import * as vscode from 'vscode';
import type { LineInfo, LiveSession, Reading } from './protocol';
import type { Server } from './server';
import { setting } from './settings';
import { isOurs, isTrace } from './show';
import { cutStatus, readingText } from './text';

const ASK_AFTER_MS = 50;
const DRAW_AFTER_MS = 200;
const TELL_READING_AFTER_MS = 2000;
// Left of the language, whose item has a priority of about 100.
const PRIORITY = 101;

export class LineWatch implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('line', vscode.StatusBarAlignment.Right, PRIORITY);
  private readonly liveItem = vscode.window.createStatusBarItem('live', vscode.StatusBarAlignment.Right, PRIORITY + 1);
  private readonly endOfLine = vscode.window.createTextEditorDecorationType({
    after: { color: new vscode.ThemeColor('editorCodeLens.foreground'), margin: '0 0 0 3em', fontStyle: 'italic' },
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
  });
  private readonly subscriptions: vscode.Disposable[] = [];
  private askTimer: NodeJS.Timeout | undefined;
  private drawTimer: NodeJS.Timeout | undefined;
  private readingTimer: NodeJS.Timeout | undefined;
  private asking: vscode.CancellationTokenSource | undefined;
  private origin: LineInfo['origin'];
  private reading: Reading | null = null;
  private readingLong = false;

  constructor(private readonly server: Server) {
    this.item.name = 'Turnlens: Turn of the Line';
    this.liveItem.name = 'Turnlens: Live Sessions';
    this.liveItem.command = 'turnlens.openLive';
    this.subscriptions.push(
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        setContext('turnlens.inTrace', editor !== undefined && isTrace(editor.document));
        this.askSoon();
      }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.askSoon();
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document === vscode.window.activeTextEditor?.document) this.askSoon();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('turnlens')) this.askSoon();
      }),
      server.onDidChangeRunning((running) => {
        setContext('turnlens.running', running);
        if (!running) this.setReading(null);
        this.askSoon();
        this.draw();
      }),
    );
    const editor = vscode.window.activeTextEditor;
    setContext('turnlens.inTrace', editor !== undefined && isTrace(editor.document));
  }

  setReading(reading: Reading | null): void {
    this.reading = reading;
    if (reading === null) {
      clearTimeout(this.readingTimer);
      this.readingTimer = undefined;
      this.readingLong = false;
    } else {
      this.readingTimer ??= setTimeout(() => {
        this.readingLong = true;
        this.draw();
      }, TELL_READING_AFTER_MS);
    }
    this.draw();
  }

  setLive(live: LiveSession[]): void {
    setContext('turnlens.live', live.length > 0);
    this.liveItem.text = liveText(live);
    this.liveItem.tooltip = live.map((session) => session.title).join('\n');
    if (live.length > 0) this.liveItem.show();
    else this.liveItem.hide();
  }

  /** Asks anew once the cursor has rested; what was asked before is of no use any more. */
  askSoon(): void {
    clearTimeout(this.askTimer);
    clearTimeout(this.drawTimer);
    this.asking?.cancel();
    vscode.window.activeTextEditor?.setDecorations(this.endOfLine, []);
    this.askTimer = setTimeout(() => void this.ask(), ASK_AFTER_MS);
  }

  private async ask(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const source = (this.asking = new vscode.CancellationTokenSource());
    const origin = editor === undefined ? undefined : await this.originAt(editor, source.token);
    if (source.token.isCancellationRequested) return;
    this.origin = origin;
    setContext('turnlens.lineHasTurn', Boolean(origin));
    this.draw();
    if (editor !== undefined && origin) this.drawTimer = setTimeout(() => this.drawEndOfLine(editor), DRAW_AFTER_MS);
  }

  private async originAt(editor: vscode.TextEditor, token: vscode.CancellationToken): Promise<LineInfo['origin']> {
    const { document, selection } = editor;
    if (document.uri.scheme !== 'file' || isOurs(document) || !this.server.running) return undefined;
    const params = { textDocument: { uri: document.uri.toString() }, position: selection.active };
    // A line that cannot be told has no origin; the log has the reason.
    return this.server.request('turnlens/line', params, token).then((info) => info?.origin, () => undefined);
  }

  private draw(): void {
    const [text, tooltip, command] = this.says();
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.command = command;
    if (text === '') this.item.hide();
    else this.item.show();
  }

  private says(): [text: string, tooltip: string, command: string] {
    if (!this.server.enabled) return ['', '', ''];
    if (!this.server.running) return ['$(warning) Turnlens', 'Turnlens does not run.', 'turnlens.stoppedMenu'];
    if (this.origin && setting('statusBar.enable', true)) return [cutStatus(this.origin.status), this.origin.title, 'turnlens.lineMenu'];
    if (this.reading && this.readingLong) {
      return [`$(sync~spin) Turnlens ${readingText(this.reading)}`, 'Reading sessions', 'turnlens.showOutput'];
    }
    return ['', '', ''];
  }

  private drawEndOfLine(editor: vscode.TextEditor): void {
    if (!this.origin || !setting('currentLine.enable', false)) return;
    const { range } = editor.document.lineAt(editor.selection.active.line);
    editor.setDecorations(this.endOfLine, [
      { range, renderOptions: { after: { contentText: cutStatus(this.origin.status) } } },
    ]);
  }

  dispose(): void {
    for (const timer of [this.askTimer, this.drawTimer, this.readingTimer]) clearTimeout(timer);
    this.asking?.cancel();
    vscode.Disposable.from(...this.subscriptions, this.item, this.liveItem, this.endOfLine).dispose();
  }
}

function liveText(live: LiveSession[]): string {
  const waiting = live.filter((session) => session.state === 'waits');
  const first = live[0];
  if (live.length === 1 && first !== undefined) {
    return first.state === 'waits' ? `$(bell-dot) ${first.agentName} waits` : `$(pulse) ${first.agentName} working`;
  }
  const parts = [
    ...(live.length > waiting.length ? [`${live.length - waiting.length} working`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'}`] : []),
  ];
  return `${waiting.length > 0 ? '$(bell-dot)' : '$(pulse)'} ${parts.join(', ')}`;
}

function setContext(key: string, value: boolean): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
