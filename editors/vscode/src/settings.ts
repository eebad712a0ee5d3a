// The settings as the server takes them.

import * as vscode from 'vscode';
import { nested } from './text';

// These decide how the server is started, or are the client library's own.
const NOT_FOR_THE_SERVER = ['turnlens.enable', 'turnlens.server.path', 'turnlens.server.extraArgs', 'turnlens.trace.server'];

/** Every setting that the manifest names, nested, without the prefix. */
export function settings(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const properties: Record<string, unknown> = extension.packageJSON.contributes.configuration.properties;
  const configuration = vscode.workspace.getConfiguration();
  const keys = Object.keys(properties).filter((key) => !NOT_FOR_THE_SERVER.includes(key));
  return nested(Object.fromEntries(keys.map((key) => [key.replace('turnlens.', ''), configuration.get(key)])));
}

/** One setting, by its key without the prefix. */
export function setting<T>(key: string, otherwise: T): T {
  return vscode.workspace.getConfiguration('turnlens').get(key, otherwise);
}
