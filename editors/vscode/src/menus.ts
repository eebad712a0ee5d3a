// Menus: of the cursor's line, of a lens that stands for several turns or a file, of a server that stopped.

import * as vscode from 'vscode';
import { historyOfFile, showTurnChanges, turns } from './changes';
import type { Lenses } from './lenses';
import { placeOf } from './place';
import type { CommandArgument } from './protocol';
import type { Server } from './server';

type Action = vscode.QuickPickItem & { run: () => unknown };

async function choose(actions: Action[], placeHolder?: string): Promise<void> {
  await (await vscode.window.showQuickPick(actions, { placeHolder }))?.run();
}

function command(label: string, id: string, argument?: CommandArgument): Action {
  return { label, run: () => vscode.commands.executeCommand(id, ...(argument ? [argument] : [])) };
}

export async function lineMenu(server: Server, lenses: Lenses): Promise<void> {
  const place = placeOf({});
  if (place === undefined) return;
  const info = await server.request('turnlens/line', {
    textDocument: { uri: place.uri.toString() },
    position: place.range.start,
  });
  const address = info?.origin?.address;
  await choose(
    [
      command('Open Turn', 'turnlens.openTurn'),
      command('Peek', 'turnlens.peekTurn'),
      command('Step Diff', 'turnlens.showStepDiff'),
      command("Turn's Changes", 'turnlens.showTurnChanges', address === undefined ? undefined : { address }),
      command('Line History', 'turnlens.showLineHistory'),
      command('Undo Turn…', 'turnlens.undoTurn', address === undefined ? undefined : { address }),
      command('Explain', 'turnlens.explainLine'),
      { label: 'Hide Lenses', run: () => lenses.hideIn(place.uri, server) },
    ],
    info?.origin?.status,
  );
}

/** What `turnlens.server.menu` does elsewhere by a question of the server, as a pick. */
export async function lensMenu(server: Server, lenses: Lenses, argument: CommandArgument): Promise<void> {
  if (argument.addresses !== undefined) return turnsMenu(server, argument.addresses);
  const place = placeOf(argument);
  const document = vscode.window.activeTextEditor?.document;
  if (place === undefined || document === undefined) return;
  await choose([
    { label: 'Changes by Turn', run: async () => choose(changesByTurn(server, await historyOfFile(server, document))) },
    command('Line History', 'turnlens.showLineHistory', argument),
    {
      label: 'Show All Lenses',
      run: () => vscode.workspace.getConfiguration('turnlens').update('codeLens.scope', 'all', vscode.ConfigurationTarget.Global),
    },
    { label: 'Hide Lenses in This File', run: () => lenses.hideIn(place.uri, server) },
  ]);
}

function changesByTurn(server: Server, entries: Parameters<typeof turns>[0]): Action[] {
  return turns(entries).map((turn) => ({ ...turn, run: () => showTurnChanges(server, { address: turn.address }) }));
}

/** The turns of a unit by their titles; the one that is picked is opened. */
async function turnsMenu(server: Server, addresses: string[]): Promise<void> {
  const known = await Promise.all(addresses.map((address) => server.request('turnlens/turnChanges', { address })));
  const actions = addresses.map((address, i) => ({
    label: known[i]?.title ?? address,
    description: address,
    run: () => vscode.commands.executeCommand('turnlens.openTurn', { address }),
  }));
  await choose(actions, 'Open which turn?');
}

export async function stoppedMenu(server: Server): Promise<void> {
  if (server.program === undefined) return server.tellMissing();
  await choose([command('Show Output', 'turnlens.showOutput'), command('Restart Server', 'turnlens.restartServer')]);
}
