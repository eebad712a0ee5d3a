// Stands for the language server of a file's own language, so that the driver can see who answers what, and in which
// order. It answers on words only, as language servers do; it offers no folds. In Markdown it finds fault, as linters
// do; in TOML it has something to mend, which lights the bulb. And it does for the driver what the keyboard does badly.
const vscode = require('vscode');

const LANGUAGES = ['rust', 'python', 'go', 'c', 'cpp', 'java', 'javascript', 'typescript', 'plaintext'];

exports.activate = ({ subscriptions }) => {
  for (const language of LANGUAGES) {
    const selector = { scheme: 'file', language };
    subscriptions.push(
      vscode.languages.registerHoverProvider(selector, { provideHover }),
      vscode.languages.registerDefinitionProvider(selector, { provideDefinition }),
      vscode.languages.registerDocumentSymbolProvider(selector, { provideDocumentSymbols }),
    );
  }
  const faults = vscode.languages.createDiagnosticCollection('neighbour');
  const lint = (document) => {
    if (document.languageId === 'markdown') faults.set(document.uri, [new vscode.Diagnostic(document.lineAt(0).range, 'neighbour: a fault')]);
  };
  subscriptions.push(
    faults,
    vscode.workspace.onDidOpenTextDocument(lint),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => faults.delete(uri)),
    vscode.languages.registerWorkspaceSymbolProvider({ provideWorkspaceSymbols }),
    vscode.languages.registerCodeActionsProvider({ scheme: 'file', pattern: '**/*.toml' }, { provideCodeActions }),
    vscode.commands.registerCommand('neighbour.open', openFile),
    vscode.commands.registerCommand('neighbour.markdown', openMarkdown),
    vscode.commands.registerCommand('neighbour.putBack', putBack),
    vscode.commands.registerCommand('neighbour.set', setSetting),
  );
};

async function openFile() {
  const file = vscode.Uri.file(await vscode.window.showInputBox());
  const { document } = await vscode.window.showTextDocument(file, { preview: false });
  // What a check that failed left behind is no matter of the next one.
  if (document.isDirty) await vscode.commands.executeCommand('workbench.action.files.revert');
}

/** A document in which linters find fault. */
async function openMarkdown() {
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'markdown', content: '# A title' }));
}

/** Nothing open, nothing changed, nothing said. */
async function putBack() {
  const run = (command) => vscode.commands.executeCommand(command);
  await run('refactorPreview.discard');
  for (const document of vscode.workspace.textDocuments.filter(({ isDirty }) => isDirty)) {
    await vscode.window.showTextDocument(document);
    await run('workbench.action.revertAndCloseActiveEditor');
  }
  await run('workbench.action.closeAllEditors');
  await run('workbench.action.closePanel');
  await run('notifications.clearAll');
}

/** Asks for `{ "key", "value" }`; without a value the setting goes back to what it was. */
async function setSetting() {
  const { key, value } = JSON.parse(await vscode.window.showInputBox());
  await vscode.workspace.getConfiguration().update(key, value, vscode.ConfigurationTarget.Global);
}

function provideHover(document, position) {
  const word = document.getWordRangeAtPosition(position);
  return word && new vscode.Hover(`neighbour: ${document.getText(word)}`, word);
}

/** The first line that holds the word: always one place. */
function provideDefinition(document, position) {
  const word = document.getWordRangeAtPosition(position);
  if (!word) return null;
  const at = document.getText().search(new RegExp(`\\b${document.getText(word)}\\b`));
  return new vscode.Location(document.uri, document.positionAt(at));
}

/** The file, and in it each block that begins at a line's beginning with `{` at its end. */
function provideDocumentSymbols(document) {
  const symbol = (name, from, to) => {
    const range = new vscode.Range(from, 0, to, document.lineAt(to).text.length);
    return new vscode.DocumentSymbol(name, '', vscode.SymbolKind.Module, range, document.lineAt(from).range);
  };
  const file = symbol('neighbour of the whole file', 0, document.lineCount - 1);
  for (let from = 0; from < document.lineCount; from += 1) {
    if (!/^\S.*\{$/.test(document.lineAt(from).text)) continue;
    let to = from + 1;
    while (to < document.lineCount - 1 && !document.lineAt(to).text.startsWith('}')) to += 1;
    file.children.push(symbol(`neighbour of line ${from + 1}`, from, to));
  }
  return [file];
}

function provideCodeActions() {
  return [new vscode.CodeAction('neighbour: mend this', vscode.CodeActionKind.QuickFix)];
}

function provideWorkspaceSymbols(query) {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  if (!folder || query.startsWith('?')) return [];
  const place = new vscode.Location(folder.uri, new vscode.Position(0, 0));
  return [new vscode.SymbolInformation(`${query}_neighbour`, vscode.SymbolKind.Function, '', place)];
}
