// Lenses that a person hid: in one file, or everywhere. The server goes on as before, so they are back at once.

import * as vscode from 'vscode';
import { CodeLensRequest } from 'vscode-languageclient/node';
import type { Server } from './server';
import { isOurs, mention } from './show';

const HIDDEN = 'turnlens.lensesHidden';

export class Lenses {
  private readonly hiddenFiles = new Set<string>();

  constructor(private readonly memory: vscode.Memento) {}

  /** Traces keep theirs: there they are the buttons. */
  hides(document: vscode.TextDocument): boolean {
    if (isOurs(document)) return false;
    return this.memory.get(HIDDEN, false) || this.hiddenFiles.has(document.uri.toString());
  }

  async toggle(server: Server): Promise<void> {
    const hidden = !this.memory.get(HIDDEN, false);
    await this.memory.update(HIDDEN, hidden);
    if (!hidden) this.hiddenFiles.clear();
    redraw(server);
    mention(hidden ? 'Turnlens lenses are hidden' : 'Turnlens lenses are shown');
  }

  hideIn(uri: vscode.Uri, server: Server): void {
    this.hiddenFiles.add(uri.toString());
    redraw(server);
  }
}

/** Asks for every lens anew. */
function redraw(server: Server): void {
  const feature = server.started().getFeature(CodeLensRequest.method);
  for (const document of vscode.workspace.textDocuments) {
    feature.getProvider(document)?.onDidChangeCodeLensEmitter.fire();
  }
}
