// Goes on with a session: in a terminal, or by the command that a person takes along.

import * as vscode from 'vscode';
import { addressOf } from './place';
import type { CommandArgument } from './protocol';
import type { Server } from './server';
import { pickSession } from './sessions';
import { mention } from './show';
import { sessionOf } from './text';

export async function copyResumeCommand(server: Server, argument: CommandArgument): Promise<void> {
  const copied = await resumeCommand(server, argument);
  if (copied !== undefined) await copy(copied.text);
}

/** Never a second one beside a session that runs. */
export async function resumeSession(server: Server, argument: CommandArgument): Promise<void> {
  const command = await resumeCommand(server, argument);
  if (command === undefined) return;
  const { text, cwd, address } = command;
  const { sessions } = await server.request('turnlens/sessions', { all: true });
  const session = sessions.find((known) => known.address === address);
  if (session?.live) return instead('This session is running in another terminal.', text);
  if (cwd !== undefined && !(await isFolder(cwd))) {
    return instead(`The folder ${cwd} of this session is gone. Copy the command instead.`, text);
  }
  const terminal = vscode.window.createTerminal({ name: session?.title, cwd });
  terminal.show();
  terminal.sendText(text);
}

interface ResumeCommand {
  text: string;
  cwd?: string;
  address: string;
}

/** The command of the session that is meant; a pick where none is. */
async function resumeCommand(server: Server, argument: CommandArgument): Promise<ResumeCommand | undefined> {
  const given = (await addressOf(server, argument)) ?? (await pickSession(server, 'Resume which session?'))?.address;
  if (given === undefined) return undefined;
  const address = sessionOf(given);
  const copied = await server.request('turnlens/copy', { address, form: 'resume' });
  if (copied === null) return void mention('This session cannot be resumed.');
  return { text: copied.text, cwd: copied.cwd ?? undefined, address };
}

async function instead(why: string, command: string): Promise<void> {
  const button = await vscode.window.showInformationMessage(why, 'Copy Resume Command');
  if (button !== undefined) await copy(command);
}

async function copy(command: string): Promise<void> {
  await vscode.env.clipboard.writeText(command);
  mention(`Copied ${command}`);
}

function isFolder(path: string): PromiseLike<boolean> {
  return vscode.workspace.fs.stat(vscode.Uri.file(path)).then(
    ({ type }) => (type & vscode.FileType.Directory) !== 0,
    () => false,
  );
}
