// Starts `netdsl lsp` and hands it the `.net` files that are open.
import { commands, ExtensionContext, window, workspace } from "vscode";
import {
  LanguageClient,
  LanguageClientOptions,
  ServerOptions,
} from "vscode-languageclient/node";

let client: LanguageClient | undefined;

async function start(): Promise<void> {
  const settings = workspace.getConfiguration("netdsl.server");
  if (!settings.get<boolean>("enabled", true)) {
    return;
  }
  const [command, ...args] = settings.get<string[]>("command", ["netdsl", "lsp"]);
  const server: ServerOptions = { command, args };
  const options: LanguageClientOptions = {
    documentSelector: [{ language: "net" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.net") },
  };
  client = new LanguageClient("netdsl", "netdsl", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void window.showWarningMessage(
      `The language server did not start (${[command, ...args].join(" ")}): ${reason}. ` +
        "Install it with: pip install 'netdsl[lsp]', or set netdsl.server.command.",
    );
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("netdsl.restart", restart),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("netdsl.server")) {
        void restart();
      }
    }),
  );
  await start();
}

export function deactivate(): Promise<void> {
  return stop();
}
