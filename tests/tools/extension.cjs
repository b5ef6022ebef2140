// Activates the bundled extension where there is no VS Code: as much of its API stands
// in as a client needs to start the real server.  Says what came of it.
const Module = require("node:module");
const { join } = require("node:path");

const commands = [];
const warnings = [];
const nothing = () => ({ dispose() {} });

// What is not named below can be called, made and extended, and means nothing.
const silent = (name) => typeof name === "symbol" || ["then", "toJSON"].includes(name);
const handler = {
  get: (target, name) => (name in target || silent(name) ? target[name] : anything()),
  apply: () => anything(),
};
const anything = () => new Proxy(function () {}, handler);

class Disposable {
  constructor(dispose) {
    this.dispose = dispose;
  }
}

class EventEmitter {
  listeners = [];
  event = (listener, self) => {
    this.listeners.push(self ? listener.bind(self) : listener);
    return nothing();
  };
  fire = (value) => this.listeners.forEach((listener) => listener(value));
  dispose() {}
}
const channel = { append() {}, appendLine() {}, show() {}, dispose() {}, replace() {} };
const defaults = { command: [process.argv[3], "lsp"], enabled: true };
const settings = { get: (name, value) => defaults[name] ?? value };
const events = {
  get: (target, name) =>
    name in target || silent(name)
      ? target[name]
      : /^on(?:Did|Will)|^register|^create/.test(name)
        ? nothing
        : anything(),
};
const room = (parts) => new Proxy(parts, events);
const vscode = new Proxy(
  {
    Disposable,
    EventEmitter,
    commands: room({ registerCommand: (name) => (commands.push(name), nothing()) }),
    env: { appName: "no editor", language: "en" },
    languages: room({ createDiagnosticCollection: () => ({ dispose() {}, set() {} }) }),
    version: "1.91.0",
    workspace: room({
      createFileSystemWatcher: () => ({
        ...{ onDidChange: nothing, onDidCreate: nothing, onDidDelete: nothing },
        dispose() {},
      }),
      getConfiguration: () => settings,
      notebookDocuments: [],
      textDocuments: [],
      workspaceFolders: undefined,
    }),
    window: room({
      createOutputChannel: () => channel,
      showWarningMessage: async (text) => void warnings.push(text),
      showErrorMessage: async (text) => void warnings.push(text),
      tabGroups: room({ all: [] }),
      visibleTextEditors: [],
    }),
  },
  handler,
);
const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));

const { spawn } = require("node:child_process");
const started = [];
require("node:child_process").spawn = (command, args, options) => {
  const child = spawn(command, args, options);
  started.push(child);
  return child;
};

const extension = require(join(process.argv[2], "extension.js"));
const running = () => started.map((child) => child.exitCode === null);
(async () => {
  await extension.activate({ subscriptions: [] });
  const during = running();
  await extension.deactivate();
  await Promise.all(
    started.map((child) => new Promise((done) => {
      if (child.exitCode !== null) done();
      child.on("exit", done);
    })),
  );
  const after = started.map((child) => child.exitCode);
  process.stdout.write(JSON.stringify({ commands, during, after, warnings }));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
