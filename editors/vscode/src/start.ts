// The first five minutes: the newest line, the doctor, a demo, more logs, more or less noise.

import * as vscode from 'vscode';
import type { Server } from './server';
import { tellNothing } from './sessions';
import { type Reports, show } from './show';

export async function openNewestChange(server: Server): Promise<void> {
  const { newest } = await server.request('turnlens/status', {});
  if (newest !== null) await show(newest, { preserveFocus: false });
  else await tellNothing(server, 'No agent has written a line of this folder.');
}

export async function doctor(server: Server, reports: Reports): Promise<void> {
  const { text } = await server.request('turnlens/doctor', {});
  await reports.show('doctor.txt', text);
}

export async function getStarted(extension: vscode.Extension<unknown>): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extension.id}#getStarted`, false);
}

/** Runs `turnlens demo` as a task, so that what it says stays in sight; it opens a window of its own. */
export async function openDemo(server: Server): Promise<void> {
  if (server.program === undefined) return server.tellMissing();
  const run = new vscode.ShellExecution({ value: server.program, quoting: vscode.ShellQuoting.Strong }, ['demo', '--editor', 'code']);
  const task = new vscode.Task({ type: 'turnlens' }, vscode.TaskScope.Workspace, 'demo', 'turnlens', run, []);
  await vscode.tasks.executeTask(task);
}

export async function addLogFolder(server: Server): Promise<void> {
  const { agents } = await server.request('turnlens/status', {});
  const agent = await vscode.window.showQuickPick(agents, { placeHolder: 'Logs of which agent?' });
  if (agent === undefined) return;
  const [folder] = (await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false })) ?? [];
  if (folder === undefined) return;
  const configuration = vscode.workspace.getConfiguration('turnlens');
  const folders = configuration.inspect<unknown[]>('logs.folders')?.globalValue ?? [];
  await configuration.update('logs.folders', [...folders, { agent, path: folder.fsPath }], vscode.ConfigurationTarget.Global);
}

const NOISE: Record<string, { lens: string; hover: string }> = {
  status: { lens: 'off', hover: 'off' },
  auto: { lens: 'auto', hover: 'auto' },
  everything: { lens: 'all', hover: 'full' },
};

/** The walkthrough's three buttons. */
export async function setNoise(level: unknown): Promise<void> {
  const noise = NOISE[String(level)];
  if (noise === undefined) return;
  const configuration = vscode.workspace.getConfiguration('turnlens');
  await configuration.update('codeLens.scope', noise.lens, vscode.ConfigurationTarget.Global);
  await configuration.update('hover.code', noise.hover, vscode.ConfigurationTarget.Global);
}

export async function toggleCurrentLine(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('turnlens');
  const enabled = configuration.get('currentLine.enable', false);
  await configuration.update('currentLine.enable', !enabled, vscode.ConfigurationTarget.Global);
}
