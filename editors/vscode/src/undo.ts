// Takes back a turn or a step. The server makes the edit and has the editor show it first; nothing is written.

import { pickTurn } from './changes';
import { addressOf, placeOf } from './place';
import type { CommandArgument } from './protocol';
import type { Server } from './server';
import { mention } from './show';
import { turnOf } from './text';
import { tellUnknown } from './turn';

export async function undoTurn(server: Server, argument: CommandArgument): Promise<void> {
  const address = argument.address ?? (await pickTurn(server, 'Undo which turn?'));
  if (address !== undefined) await undo(server, turnOf(address));
}

export async function undoStep(server: Server, argument: CommandArgument): Promise<void> {
  const address = await addressOf(server, argument);
  const place = placeOf(argument);
  if (address !== undefined) await undo(server, address);
  else if (place !== undefined) await tellUnknown(place, undefined);
}

/** The preview has no room for the words, so they stand in the status bar. */
async function undo(server: Server, address: string): Promise<void> {
  const { message } = await server.request('turnlens/undo', { address });
  mention(message);
  await server.execute('turnlens.server.undo', { address });
}
