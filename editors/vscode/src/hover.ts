// The hover over code, below the language's own.

import * as vscode from 'vscode';
import { HoverRequest } from 'vscode-languageclient/node';
import { CLIENT_COMMANDS, SERVER_COMMANDS } from './protocol';
import type { Server } from './server';
import { setting } from './settings';

/**
 * VS Code draws hovers by how well their selector fits, and this one fits least: it is drawn below the others. The
 * client's own registration, which would stand above them, is answered with nothing for files (see `middleware`).
 */
export function registerHover(server: Server): vscode.Disposable {
  return vscode.languages.registerHoverProvider(
    { scheme: '*', language: '*' },
    {
      provideHover(document, position, token) {
        if (document.uri.scheme !== 'file' || !server.running) return null;
        return wantsFull(document) ? fullHover(server, document, position, token) : hover(server, document, position, token);
      },
    },
  );
}

async function hover(
  server: Server,
  document: vscode.TextDocument,
  position: vscode.Position,
  token: vscode.CancellationToken,
): Promise<vscode.Hover | null | undefined> {
  const client = server.started();
  const params = client.code2ProtocolConverter.asTextDocumentPositionParams(document, position);
  const result = await client.sendRequest(HoverRequest.type, params, token);
  return client.protocol2CodeConverter.asHover(result);
}

/** Lenses are off in diff editors, which is where people look through changes: there the hover tells all. */
function wantsFull(document: vscode.TextDocument): boolean {
  if (setting('hover.code', 'auto') !== 'auto') return false;
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputTextDiff && input.modified.toString() === document.uri.toString();
}

async function fullHover(
  server: Server,
  document: vscode.TextDocument,
  position: vscode.Position,
  token: vscode.CancellationToken,
): Promise<vscode.Hover | null> {
  const params = { textDocument: { uri: document.uri.toString() }, position };
  const peek = await server.request('turnlens/peek', params, token);
  if (peek === null) return null;
  const text = new vscode.MarkdownString(peek.text);
  text.isTrusted = { enabledCommands: [...CLIENT_COMMANDS, ...SERVER_COMMANDS] };
  return new vscode.Hover(text);
}
