// `npm run package`: netdsl-VERSION.vsix, the same bytes each time.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const done = spawnSync(
  process.execPath,
  [
    require.resolve("@vscode/vsce/vsce"),
    ...["package", "--no-dependencies", "--allow-missing-repository"],
    ...process.argv.slice(2),
  ],
  {
    cwd: dirname(fileURLToPath(import.meta.url)),
    // vsce gives the entries of the archive this time. 1980 is the first that it can hold.
    env: { SOURCE_DATE_EPOCH: "315532800", ...process.env },
    stdio: "inherit",
  },
);
process.exit(done.status ?? 1);
