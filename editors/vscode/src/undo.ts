// Takes back a turn or a step. The server makes the edit and has the editor show it first; nothing is written.

import { addressOf, placeOf } from './place';
import { pickTurn } from './changes';
import type { CommandArgument } from './protocol';
import type { Server } from './server';
import { turnOf } from './text';
import { tellUnknown } from './turn';

export async function undoTurn(server: Server, argument: CommandArgument): Promise<void> {
  const address = argument.address ?? (await pickTurn(server, 'Undo which turn?'));
  if (address !== undefined) await server.execute('turnlens.server.undo', { address: turnOf(address) });
}

export async function undoStep(server: Server, argument: CommandArgument): Promise<void> {
  const address = await addressOf(server, argument);
  const place = placeOf(argument);
  if (address !== undefined) await server.execute('turnlens.server.undo', { address });
  else if (place !== undefined) await tellUnknown(place, undefined);
}
