// Everything that the extension ships and that isn't written here: the client in one
// file, and the one grammar.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(join(here, "..", "net.tmLanguage.json"), join(dist, "net.tmLanguage.json"));
copyFileSync(join(here, "..", "..", "LICENSE"), join(here, "LICENSE"));
await build({
  absWorkingDir: here,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  legalComments: "linked",
  logLevel: "warning",
});
