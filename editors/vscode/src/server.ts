// The one language client of the window: found, started, asked, stopped.

import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  type ErrorHandler,
  type GenericNotificationHandler,
  type LanguageClientOptions,
  type Middleware,
  State,
} from 'vscode-languageclient/node';
import { findServer } from './binary';
import { CLIENT_COMMANDS, SERVER_COMMANDS, type CommandArgument, type Notifications, type Requests } from './protocol';
import { setting, settings } from './settings';
import { NOT_FOUND } from './text';

export const SCHEME = 'turnlens';
export const LANGUAGE = 'turnlens';

/** Thrown by whatever needs the server while it does not run; commands answer it with what can be done. */
export class NotRunning extends Error {}

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private changing: Promise<void> = Promise.resolve();
  private launched = '';
  private toldMissing = false;
  private readonly output = vscode.window.createOutputChannel('Turnlens', { log: true });
  private readonly stateEmitter = new vscode.EventEmitter<boolean>();
  private readonly handlers: [string, GenericNotificationHandler][] = [];

  /** Fires with whether the server runs. */
  readonly onDidChangeRunning = this.stateEmitter.event;

  constructor(
    private readonly extension: vscode.Extension<unknown>,
    private readonly middleware: Middleware,
  ) {}

  get running(): boolean {
    return this.client?.state === State.Running;
  }

  /** Whether the person wants a server in this window at all. */
  get enabled(): boolean {
    return setting('enable', true);
  }

  private get extraArgs(): string[] {
    return setting('server.extraArgs', []);
  }

  /** The program that is or would be run. */
  get program(): string | undefined {
    return findServer({
      setting: setting('server.path', ''),
      extensionPath: this.extension.extensionPath,
      home: homedir(),
      platform: process.platform,
      searchPath: process.env.PATH ?? '',
      isFile,
    });
  }

  start(): Promise<void> {
    return this.inTurn(() => this.startNow());
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.stopNow());
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.stopNow();
      await this.startNow();
    });
  }

  /** Whether what is only read at the start is not what it was then. */
  get outdated(): boolean {
    return this.launch() !== this.launched;
  }

  /** Settings are told to change at odd times, also where none did. */
  async restartIfNeeded(): Promise<void> {
    if (this.outdated) await this.restart();
  }

  /** Everything that is only read at the start, as one text. */
  private launch(): string {
    return JSON.stringify([this.enabled, this.program, this.extraArgs, setting('virtualDocuments', 'auto')]);
  }

  /**
   * One start or stop after the other. A client that is still starting cannot be stopped, and a second one beside it
   * could not register the server's commands again.
   */
  private inTurn(step: () => Promise<void>): Promise<void> {
    return (this.changing = this.changing.then(step, step));
  }

  private async startNow(): Promise<void> {
    if (this.client !== undefined) return;
    this.launched = this.launch();
    if (!this.enabled) return;
    const program = this.program;
    if (program === undefined) {
      this.stateEmitter.fire(false);
      if (!this.toldMissing) void this.tellMissing();
      this.toldMissing = true;
      return;
    }
    const client = new LanguageClient(
      'turnlens',
      'Turnlens',
      { command: program, args: ['lsp', ...this.extraArgs] },
      this.clientOptions(),
    );
    this.client = client;
    client.onDidChangeState(({ newState }) => this.stateEmitter.fire(newState === State.Running));
    for (const [method, handler] of this.handlers) client.onNotification(method, handler);
    try {
      await client.start();
    } catch (error) {
      this.output.error(`${program} could not be started: ${String(error)}`);
      this.stateEmitter.fire(false);
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // A client that never came up throws when it is stopped; there is nothing left to stop then.
    await client?.dispose().catch(() => undefined);
    this.stateEmitter.fire(false);
  }

  async request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    token?: vscode.CancellationToken,
  ): Promise<Requests[M]['result']> {
    const client = this.started();
    // A token that is handed over as `undefined` would be sent as a second parameter.
    return token === undefined ? client.sendRequest(method, params) : client.sendRequest(method, params, token);
  }

  /** Runs one of the server's own commands. */
  async execute(command: (typeof SERVER_COMMANDS)[number], argument: CommandArgument): Promise<void> {
    await this.started().sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] });
  }

  /** The client, for what it alone can do (converters, its providers). */
  started(): LanguageClient {
    if (this.client === undefined || !this.running) throw new NotRunning('Turnlens does not run.');
    return this.client;
  }

  on<N extends keyof Notifications>(method: N, handler: (params: Notifications[N]) => void): void {
    this.handlers.push([method, handler]);
    this.client?.onNotification(method, handler);
  }

  showOutput(): void {
    this.output.show();
  }

  async tellMissing(): Promise<void> {
    if ((await vscode.window.showWarningMessage(NOT_FOUND, 'Settings')) === 'Settings') {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'turnlens.server.path');
    }
  }

  dispose(): void {
    void this.stop();
    this.stateEmitter.dispose();
    this.output.dispose();
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: 'file' }, { scheme: SCHEME }],
      initializationOptions: () => ({
        ...settings(this.extension),
        commands: CLIENT_COMMANDS,
        hoverLinks: 'command',
      }),
      synchronize: { configurationSection: 'turnlens' },
      markdown: { isTrusted: { enabledCommands: [...CLIENT_COMMANDS, ...SERVER_COMMANDS] } },
      outputChannel: this.output,
      middleware: this.middleware,
      errorHandler: this.errorHandler(),
    };
  }

  /** The client's own rule (four restarts, then none), with a way to the log in its message. */
  private errorHandler(): ErrorHandler {
    let rule: ErrorHandler | undefined;
    const own = () => (rule ??= this.client?.createDefaultErrorHandler());
    return {
      error: (error, message, count) => own()?.error(error, message, count) ?? { action: ErrorAction.Continue },
      closed: async () => {
        const result = (await own()?.closed()) ?? { action: CloseAction.DoNotRestart };
        if (result.message === undefined) return result;
        void vscode.window.showErrorMessage(result.message, 'Show Log').then((button) => {
          if (button !== undefined) this.showOutput();
        });
        return { ...result, handled: true };
      },
    };
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // not there, or in a folder that may not be read
  }
}
