// Search in all sessions, while one types.

import * as vscode from 'vscode';
import type { SearchHit } from './protocol';
import type { Server } from './server';
import { show } from './show';

const ASK_AFTER_MS = 150;

const BESIDE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('split-horizontal'), tooltip: 'Open to the Side' };

type HitItem = vscode.QuickPickItem & { hit?: SearchHit };

export async function search(server: Server): Promise<void> {
  const pick = vscode.window.createQuickPick<HitItem>();
  pick.placeholder = 'Words, "a phrase" or /regex/; in:prompt file:src/a.rs since:7d';
  let asking: vscode.CancellationTokenSource | undefined;
  let timer: NodeJS.Timeout | undefined;
  const ask = async (query: string) => {
    const source = (asking = new vscode.CancellationTokenSource());
    const [items, title] = query === '' ? [[], undefined] : await find(server, query, source.token);
    if (source.token.isCancellationRequested) return;
    Object.assign(pick, { items, title, busy: false });
  };
  pick.onDidChangeValue((value) => {
    clearTimeout(timer);
    asking?.cancel();
    pick.busy = true;
    timer = setTimeout(() => void ask(value.trim()), ASK_AFTER_MS);
  });
  pick.onDidTriggerItemButton(({ item }) => void open(item, vscode.ViewColumn.Beside));
  const chosen = await new Promise<HitItem | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.selectedItems[0]));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
  clearTimeout(timer);
  asking?.cancel();
  pick.dispose();
  if (chosen !== undefined) await open(chosen, vscode.ViewColumn.Active);
}

/** The rows, and what is said above them. */
async function find(server: Server, query: string, token: vscode.CancellationToken): Promise<[HitItem[], string]> {
  try {
    const { hits, total, sessions } = await server.request('turnlens/search', { query }, token);
    return [hits.map(asItem), `${total} ${total === 1 ? 'hit' : 'hits'} in ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`];
  } catch (error) {
    // A regex that is still being typed, for instance.
    return [[], error instanceof Error ? error.message : String(error)];
  }
}

// The server has chosen already: VS Code's own filter would hide what it does not see in the row.
function asItem(hit: SearchHit): HitItem {
  return { label: hit.label, detail: hit.description, alwaysShow: true, buttons: [BESIDE], hit };
}

async function open({ hit }: HitItem, viewColumn: vscode.ViewColumn): Promise<void> {
  if (hit?.location) await show(hit.location, { viewColumn });
}
