// Stands for the language server of a file's own language, so that the driver can see who answers what, and in which
// order. It answers on words only, as language servers do; it offers no folds. In Markdown it finds fault, as linters do.
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
    vscode.languages.registerWorkspaceSymbolProvider({ provideWorkspaceSymbols }),
    vscode.commands.registerCommand('neighbour.open', openFile),
    vscode.commands.registerCommand('neighbour.set', setSetting),
  );
};

async function openFile() {
  const file = vscode.Uri.file(await vscode.window.showInputBox());
  const { document } = await vscode.window.showTextDocument(file, { preview: false });
  // What a check that failed left behind is no matter of the next one.
  if (document.isDirty) await vscode.commands.executeCommand('workbench.action.files.revert');
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

function provideDocumentSymbols(document) {
  const { range } = document.lineAt(0);
  return [new vscode.DocumentSymbol('neighbour of the whole file', '', vscode.SymbolKind.Module, range, range)];
}

function provideWorkspaceSymbols(query) {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  if (!folder || query.startsWith('?')) return [];
  const place = new vscode.Location(folder.uri, new vscode.Position(0, 0));
  return [new vscode.SymbolInformation(`${query}_neighbour`, vscode.SymbolKind.Function, '', place)];
}
