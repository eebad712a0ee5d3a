// Sessions: the pick and the view.

import * as vscode from 'vscode';
import type { CommandArgument, LiveSession, Session } from './protocol';
import type { Server } from './server';
import { isOurs, mention, show } from './show';
import { asShown, byDay, inOrder, noSessions } from './text';

type SessionItem = vscode.QuickPickItem & { session?: Session };

const COPY_RESUME: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('terminal'),
  tooltip: 'Copy Resume Command',
};

export async function openSession(server: Server, argument: CommandArgument): Promise<void> {
  if (argument.document !== undefined) return void (await show(argument.document));
  if (argument.address !== undefined) return server.execute('turnlens.server.show', { address: argument.address });
  const session = await pickSession(server, 'Open which session?');
  if (session !== undefined) await show(session.document);
}

/** Those that edited the file in front come first, then this repository's, then all others; each newest first. */
export async function pickSession(server: Server, placeHolder: string): Promise<Session | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  const [everywhere, ofFile] = await Promise.all([
    server.request('turnlens/sessions', { all: true }),
    document === undefined || isOurs(document)
      ? undefined
      : server.request('turnlens/sessions', { textDocument: { uri: document.uri.toString() } }),
  ]);
  if (everywhere.sessions.length === 0) return void (await tellNoSessions(server));
  const items = sessionItems(everywhere.sessions, ofFile?.sessions ?? []);
  return (await pickItem(items, placeHolder))?.session;
}

function sessionItems(everywhere: Session[], ofFile: Session[]): SessionItem[] {
  const taken = new Set(ofFile.map((session) => session.id));
  const rest = inOrder(everywhere.filter((session) => !taken.has(session.id)));
  return [
    ...group('sessions that edited this file', inOrder(ofFile)),
    ...group('this repository', rest.filter((session) => session.here)),
    ...group('other folders', rest.filter((session) => !session.here)),
  ];
}

function group(title: string, sessions: Session[]): SessionItem[] {
  if (sessions.length === 0) return [];
  return [{ label: title, kind: vscode.QuickPickItemKind.Separator }, ...sessions.map(sessionItem)];
}

function sessionItem(session: Session): SessionItem {
  return {
    label: `${session.live ? '$(pulse) ' : ''}${session.title}`,
    description: session.description,
    buttons: [COPY_RESUME],
    session,
  };
}

async function pickItem(items: SessionItem[], placeholder: string): Promise<SessionItem | undefined> {
  const pick = vscode.window.createQuickPick<SessionItem>();
  Object.assign(pick, { items, placeholder, matchOnDescription: true });
  pick.onDidTriggerItemButton(({ item }) => {
    void vscode.commands.executeCommand('turnlens.copyResumeCommand', { address: item.session?.address });
  });
  const chosen = await new Promise<SessionItem | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.selectedItems[0]));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
  pick.dispose();
  return chosen;
}

/** Where logs were looked for, and the two ways on. */
export async function tellNoSessions(server: Server): Promise<void> {
  const { folders } = await server.request('turnlens/status', {});
  const button = await vscode.window.showInformationMessage(noSessions(folders), 'Add Folder', 'Open Demo');
  if (button === 'Add Folder') await vscode.commands.executeCommand('turnlens.addLogFolder');
  if (button === 'Open Demo') await vscode.commands.executeCommand('turnlens.openDemo');
}

/** Said where a command found nothing: that there are no sessions at all, else `otherwise`. */
export async function tellNothing(server: Server, otherwise: string): Promise<void> {
  const { sessions } = await server.request('turnlens/status', {});
  if (sessions === 0) await tellNoSessions(server);
  else mention(otherwise);
}

/** The trace of the session that works now; a pick where there are several. */
export async function openLive(server: Server): Promise<void> {
  const { live } = await server.request('turnlens/status', {});
  const session = live.length < 2 ? live[0] : await pickLive(live);
  if (session === undefined) return;
  const editor = await show(session.document);
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
}

async function pickLive(live: LiveSession[]): Promise<LiveSession | undefined> {
  const items = live.map((session) => ({ label: session.title, description: `${session.agentName} ${session.state}`, session }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'Open which session?' }))?.session;
}

type Node = { day: string; sessions: Session[] } | SessionNode;

/** A row of the view; what its menu's commands take is its address. */
interface SessionNode {
  session: Session;
  address: string;
}

/** This folder's sessions by the day they last did something. */
export class SessionsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly view: vscode.TreeView<Node>;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly server: Server) {
    this.view = vscode.window.createTreeView('turnlens.sessions', { treeDataProvider: this, showCollapseAll: true });
  }

  refresh(): void {
    this.changed.fire();
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node !== undefined) {
      return 'day' in node ? node.sessions.map((session) => ({ session, address: session.address })) : [];
    }
    if (!this.server.running) return [];
    const { sessions } = await this.server.request('turnlens/sessions', {});
    return byDay(sessions, new Date());
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return 'day' in node ? dayItem(node.day) : rowItem(node.session);
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }
}

function dayItem(day: string): vscode.TreeItem {
  const item = new vscode.TreeItem(day, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `day ${day}`;
  return item;
}

function rowItem(session: Session): vscode.TreeItem {
  const item = new vscode.TreeItem(session.title);
  item.id = `session ${session.agent} ${session.id}`;
  item.description = session.description;
  item.tooltip = `${session.agentName} · ${session.cwd}\n${session.address}`;
  item.iconPath = new vscode.ThemeIcon(session.live ? 'pulse' : 'comment-discussion');
  item.contextValue = 'session';
  item.command = {
    command: 'turnlens.openSession',
    title: 'Open Session',
    arguments: [{ document: asShown(session.document) }],
  };
  return item;
}
