// What can be taken along: a turn as Markdown, its address, the command that goes on with its session.

import * as vscode from 'vscode';
import { addressOf, placeOf } from './place';
import type { CommandArgument } from './protocol';
import type { Server } from './server';
import { pickSession } from './sessions';
import { mention } from './show';
import { sessionOf, turnOf } from './text';
import { tellUnknown } from './turn';

export async function copyTurn(server: Server, form: 'markdown' | 'address', argument: CommandArgument): Promise<void> {
  const address = await addressOf(server, argument);
  if (address === undefined) {
    const place = placeOf(argument);
    return place && tellUnknown(place, undefined);
  }
  const copied = await server.request('turnlens/copy', { address: turnOf(address), form });
  if (copied === null) return mention(`${turnOf(address)} is not known.`);
  await vscode.env.clipboard.writeText(copied.text);
  mention(form === 'address' ? `Copied ${copied.text}` : 'Copied the turn as Markdown');
}

export async function copyResumeCommand(server: Server, argument: CommandArgument): Promise<void> {
  const address = (await addressOf(server, argument)) ?? (await pickSession(server, 'Resume which session?'))?.address;
  if (address === undefined) return;
  const copied = await server.request('turnlens/copy', { address: sessionOf(address), form: 'resume' });
  if (copied === null) return mention('This session cannot be resumed.');
  await vscode.env.clipboard.writeText(copied.text);
  mention(`Copied ${copied.text}`);
}
