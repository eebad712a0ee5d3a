// The two sides of a file in the multi-diff. VS Code takes a file for renamed where the paths of its sides differ, and
// names it by that path; our documents have the step in it. So each side is wrapped in a URI with the file's own path.

import * as vscode from 'vscode';

const SIDE = 'turnlens-side';

/** `turnlens-side:/src/a.rs?<document>`. */
export function sideOf(document: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SIDE, path: `/${path}`, query: document });
}

/** The document of ours behind a side; any other URI as it is. */
export function behind(uri: vscode.Uri): vscode.Uri {
  return uri.scheme === SIDE ? vscode.Uri.parse(uri.query) : uri;
}

export function registerSides(): vscode.Disposable {
  const provideTextDocumentContent = async (uri: vscode.Uri) =>
    (await vscode.workspace.openTextDocument(behind(uri))).getText();
  return vscode.workspace.registerTextDocumentContentProvider(SIDE, { provideTextDocumentContent });
}
