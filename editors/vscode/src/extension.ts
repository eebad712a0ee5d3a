// The thin client: starts the server, gives its answers the editor's forms. What is true is the server's business.

import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { showLastTurnChanges, showStepDiff, showTurnChanges } from './changes';
import { copyTurn } from './copy';
import { compareWithTurn, restoreDeletedFile, showFileHistory, showLineHistory } from './history';
import { registerHover } from './hover';
import { Lenses } from './lenses';
import { LineWatch } from './line';
import { lensMenu, lineMenu, stoppedMenu } from './menus';
import type { CommandArgument, LiveSession } from './protocol';
import { copyResumeCommand, resumeSession } from './resume';
import { search } from './search';
import { NotRunning, SCHEME, Server } from './server';
import { openLive, openSession, SessionsView } from './sessions';
import { setting } from './settings';
import { Reports, show } from './show';
import { registerSides } from './sides';
import { addLogFolder, doctor, getStarted, openDemo, openNewestChange, setNoise, toggleCurrentLine } from './start';
import { asArgument, asShown } from './text';
import { TraceViews } from './trace';
import { explainLine, goToChange, goToTurn, openCode, openTurn, peekTurn } from './turn';
import { undoStep, undoTurn } from './undo';

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const lenses = new Lenses(context.workspaceState);
  const client = (server = new Server(context.extension, middleware(lenses)));
  const reports = new Reports();
  const line = new LineWatch(client);
  const view = new SessionsView(client);
  context.subscriptions.push(client, reports, line, view, new TraceViews(), registerHover(client), registerSides());
  registerCommands(context, client, { lenses, reports, view });
  listen(context, client, line, view);
  await client.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

function middleware(lenses: Lenses): Middleware {
  return {
    // Files have the hover of hover.ts, which stands below the language's own.
    provideHover: (document, position, token, next) =>
      document.uri.scheme === 'file' ? null : next(document, position, token),
    provideCodeLenses: (document, token, next) => (lenses.hides(document) ? [] : next(document, token)),
    executeCommand: (command, args, next) => {
      if (command !== 'turnlens.server.menu' || server === undefined) return next(command, args);
      return guarded(server, () => lensMenu(server!, lenses, asArgument(args[0])));
    },
    workspace: {
      // A server that is about to be replaced is not told: the next one has the settings from its start.
      didChangeConfiguration: async (sections, next) => {
        if (server?.running && !server.outdated) await next(sections);
      },
    },
    window: {
      showDocument: async (params, token, next) => {
        if (!params.uri.startsWith(`${SCHEME}:`)) return next(params, token);
        return show({ uri: params.uri, range: params.selection }).then(
          () => ({ success: true }),
          () => ({ success: false }),
        );
      },
    },
  };
}

interface Parts {
  lenses: Lenses;
  reports: Reports;
  view: SessionsView;
}

function registerCommands(context: vscode.ExtensionContext, client: Server, { lenses, reports, view }: Parts): void {
  const commands: Record<string, (argument: CommandArgument, raw: unknown) => unknown> = {
    openTurn: (argument) => openTurn(client, argument),
    openCode: (argument) => openCode(client, argument),
    peekTurn: (argument) => peekTurn(client, argument),
    showStepDiff: (argument) => showStepDiff(client, argument),
    showTurnChanges: (argument) => showTurnChanges(client, argument),
    showLastTurnChanges: () => showLastTurnChanges(client),
    showLineHistory: (argument) => showLineHistory(client, argument),
    showFileHistory: (argument) => showFileHistory(client, argument),
    compareWithTurn: (argument) => compareWithTurn(client, argument),
    restoreDeletedFile: () => restoreDeletedFile(client),
    explainLine: (argument) => explainLine(client, reports, argument),
    nextChange: () => goToChange(client, 'next'),
    previousChange: () => goToChange(client, 'previous'),
    openNewestChange: () => openNewestChange(client),
    nextTurn: () => goToTurn(client, 1),
    previousTurn: () => goToTurn(client, -1),
    openSession: (argument) => openSession(client, argument),
    search: () => search(client),
    openLive: () => openLive(client),
    copyTurnAsMarkdown: (argument) => copyTurn(client, 'markdown', argument),
    copyTurnAddress: (argument) => copyTurn(client, 'address', argument),
    copyResumeCommand: (argument) => copyResumeCommand(client, argument),
    resumeSession: (argument) => resumeSession(client, argument),
    undoTurn: (argument) => undoTurn(client, argument),
    undoStep: (argument) => undoStep(client, argument),
    addLogFolder: () => addLogFolder(client),
    toggleLenses: () => lenses.toggle(client),
    toggleCurrentLine: () => toggleCurrentLine(),
    getStarted: () => getStarted(context.extension),
    doctor: () => doctor(client, reports),
    showOutput: () => client.showOutput(),
    restartServer: () => client.restart(),
    openDemo: () => openDemo(client),
    refreshSessions: () => view.refresh(),
    // Not in the palette: the status bar's and the walkthrough's.
    lineMenu: () => lineMenu(client, lenses),
    stoppedMenu: () => stoppedMenu(client),
    setNoise: (_, level) => setNoise(level),
  };
  for (const [name, run] of Object.entries(commands)) {
    const command = (given: unknown) => guarded(client, async () => run(asArgument(given), given));
    context.subscriptions.push(vscode.commands.registerCommand(`turnlens.${name}`, command));
  }
}

/** A command that fails says so, and where to look; without a server, how to get one. */
async function guarded(client: Server, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof NotRunning) return stoppedMenu(client);
    const message = error instanceof Error ? error.message : String(error);
    // The person went on to another document while this one was being opened: nothing is wrong.
    if (message.includes('another editor opened in the meantime')) return;
    const button = await vscode.window.showErrorMessage(`Turnlens: ${message}`, 'Show Log');
    if (button !== undefined) client.showOutput();
  }
}

function listen(context: vscode.ExtensionContext, client: Server, line: LineWatch, view: SessionsView): void {
  const waiting = new Set<string>();
  client.on('turnlens/didChangeSessions', ({ reading }) => {
    line.setReading(reading);
    line.askSoon();
    if (reading === null) view.refresh();
  });
  client.on('turnlens/liveChanged', ({ live }) => {
    line.setLive(live);
    view.refresh();
    for (const session of newlyWaiting(live, waiting)) void tellWaiting(session);
  });
  context.subscriptions.push(
    client.onDidChangeRunning(() => view.refresh()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('turnlens')) void client.restartIfNeeded();
    }),
  );
}

/** The sessions that wait and did not before; `waiting` is brought up to date. */
function newlyWaiting(live: LiveSession[], waiting: Set<string>): LiveSession[] {
  const now = live.filter((session) => session.state === 'waits');
  const fresh = now.filter((session) => !waiting.has(session.id));
  waiting.clear();
  for (const session of now) waiting.add(session.id);
  return fresh;
}

async function tellWaiting(session: LiveSession): Promise<void> {
  if (!setting('notifications.waiting', false)) return;
  const button = await vscode.window.showInformationMessage(`${session.agentName} waits: ${session.title}`, 'Open');
  if (button !== undefined) await show(asShown(session.document));
}
