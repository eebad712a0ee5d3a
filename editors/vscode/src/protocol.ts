// Turnlens' own LSP methods as types; editors/PROTOCOL.md is the reference.
// Fields only grow, so everything that a reader can do without is optional here.

import type { Location, Position, Range, TextDocumentIdentifier } from 'vscode-languageserver-types';

/** A document and, where it is known, the place in it. */
export interface Shown {
  uri: string;
  range?: Range;
}

export interface Reading {
  done: number;
  total: number;
}

export interface Origin {
  agent: string;
  agentName: string;
  session: string;
  turn: number;
  step: string;
  address: string;
  at: string;
  title: string;
  evidence: string;
  status: string;
  document: Shown | null;
}

/** What is known of a line: the first three of a line of code, the last two of a line of a trace. */
export interface LineInfo {
  origin?: Origin | null;
  reading?: Reading | null;
  message?: string | null;
  address?: string | null;
  code?: Location | null;
}

export interface FileChange {
  path: string;
  uri: string;
  before: string;
  after: string;
  now: boolean;
  added: number;
  removed: number;
  created: boolean;
  deleted: boolean;
}

export interface TurnChanges {
  title: string;
  address: string;
  document: string | Shown;
  files: FileChange[];
}

export interface StepDiff {
  title: string;
  address: string;
  document: string | Shown;
  before: string;
  after: string;
  uri: string;
  line: number;
}

export interface Peek {
  title: string;
  address: string;
  document: string | Shown;
  range?: Range;
  text: string;
}

export interface HistoryEntry {
  address?: string | null;
  label: string;
  description: string;
  at: string;
  location?: Shown | null;
  before?: string | null;
  after?: string | null;
}

export interface FileState {
  label: string;
  description: string;
  at: string;
  address?: string | null;
  /** The document with its text; none where the file was deleted. */
  text?: string | null;
}

/** A file that is gone, with the last text that is known of it. */
export interface DeletedFile extends FileState {
  text: string;
  path: string;
  uri: string;
}

export interface SearchHit {
  address: string;
  field: string;
  text: string;
  label: string;
  description: string;
  location?: Shown | null;
}

export interface Session {
  id: string;
  agent: string;
  agentName: string;
  title: string;
  cwd: string;
  started: string;
  ended?: string | null;
  turns: number;
  edits: number;
  files: number;
  live?: unknown;
  here: boolean;
  address: string;
  document: string | Shown;
  label: string;
  description: string;
}

export interface Status {
  version: string;
  reading: Reading | null;
  sessions: number;
  here: number;
  agents: string[];
  folders: string[];
  newest: Location | null;
  live: LiveSession[];
}

export interface LiveSession {
  id: string;
  agentName: string;
  title: string;
  state: 'working' | 'waits';
  document: string | Shown;
}

interface At {
  textDocument: TextDocumentIdentifier;
  position: Position;
}

/** Method → its parameters and its result. */
export interface Requests {
  'turnlens/line': { params: At & { ask?: boolean }; result: LineInfo | null };
  'turnlens/next': { params: At & { direction: 'next' | 'previous'; uncommitted?: boolean }; result: Location | null };
  'turnlens/turnChanges': { params: { address: string }; result: TurnChanges | null };
  'turnlens/stepDiff': { params: { address: string } | At; result: StepDiff | null };
  'turnlens/peek': { params: At; result: Peek | null };
  'turnlens/history': {
    params: { textDocument: TextDocumentIdentifier; range: Range };
    result: { document?: string | Shown | null; entries: HistoryEntry[] } | null;
  };
  'turnlens/fileHistory': {
    params: { textDocument: TextDocumentIdentifier };
    result: { document?: string | Shown | null; entries: FileState[] } | null;
  };
  'turnlens/deletedFiles': { params: Record<string, never>; result: { entries: DeletedFile[] } };
  'turnlens/explain': { params: At; result: { text: string; document?: string | Shown | null } | null };
  'turnlens/sessions': {
    params: { textDocument?: TextDocumentIdentifier; query?: string; all?: boolean };
    result: { sessions: Session[]; reading: Reading | null };
  };
  'turnlens/undo': { params: { address: string }; result: { message: string } };
  'turnlens/search': { params: { query: string }; result: { total: number; sessions: number; hits: SearchHit[] } };
  'turnlens/status': { params: Record<string, never>; result: Status };
  'turnlens/doctor': { params: Record<string, never>; result: { text: string } };
  'turnlens/copy': {
    params: { address: string; form: 'markdown' | 'address' | 'resume' };
    result: { text: string; cwd?: string | null } | null;
  };
}

/** Notifications from the server. */
export interface Notifications {
  'turnlens/didChangeSessions': { sessions: number; reading: Reading | null };
  'turnlens/liveChanged': { live: LiveSession[] };
}

/** The one argument of every command that comes from a lens, a link, a code action or a menu. */
export interface CommandArgument {
  address?: string;
  addresses?: string[];
  uri?: string;
  range?: Range;
  document?: string | Shown;
}

/** Commands that the server may put into lenses, hovers and code actions, because the extension implements them. */
export const CLIENT_COMMANDS = [
  'turnlens.openTurn',
  'turnlens.openCode',
  'turnlens.peekTurn',
  'turnlens.showStepDiff',
  'turnlens.showTurnChanges',
  'turnlens.showLineHistory',
  'turnlens.showFileHistory',
  'turnlens.explainLine',
  'turnlens.openSession',
  'turnlens.copyTurnAsMarkdown',
  'turnlens.copyTurnAddress',
  'turnlens.copyResumeCommand',
  'turnlens.resumeSession',
  'turnlens.undoTurn',
  'turnlens.undoStep',
] as const;

/** Commands of the server itself; vscode-languageclient registers them by these names. */
export const SERVER_COMMANDS = [
  'turnlens.server.show',
  'turnlens.server.diff',
  'turnlens.server.menu',
  'turnlens.server.undo',
] as const;
