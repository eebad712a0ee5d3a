// What can be taken along: a turn as Markdown, its address.

import * as vscode from 'vscode';
import { addressOf, placeOf } from './place';
import type { CommandArgument } from './protocol';
import type { Server } from './server';
import { mention } from './show';
import { turnOf } from './text';
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
