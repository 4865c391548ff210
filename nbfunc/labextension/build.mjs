// Build the page into nbfunc/web/static/: modules named by their content, and manifest.json that says which is which;
// and JupyterLab's extension into dist/, as Jupyter's own builder makes it from lib/.
//
//   node build.mjs           build both
//   node build.mjs --page    the page alone
//   node build.mjs --tests   bundle tests/ for node's runner into node_modules/.tests/
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "web", "static");

// What is rare is built apart and loaded on first use. Built together with the page, esbuild would move all that
// they share into chunks of their own, and the page would take five requests for one script.
const RARE = ["table", "display"];

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
  outdir: out,
  minify: true,
  metafile: true,
  legalComments: "none",
  write: false,
};

/** Style sheets are text to esbuild: minify them as what they are. */
const smallStyles = {
  name: "small-styles",
  setup(build) {
    build.onLoad({ filter: /style\.ts$/ }, async ({ path }) => ({
      loader: "ts",
      contents: (await readFile(path, "utf8")).replace(/css`([^`]*)`/g, (_, rules) => {
        const { code } = esbuild.transformSync(rules, { loader: "css", minify: true, target: "chrome123" });
        return `css\`${code.trim().replaceAll("\\", "\\\\")}\``;
      }),
    }));
  },
};

/** The page's `import("./table.js")` is of the file that was built apart. */
const rareElsewhere = (names) => ({
  name: "rare-elsewhere",
  setup(build) {
    build.onResolve({ filter: /^\.\/\w+\.js$/ }, ({ path, kind }) => {
      const name = names[basename(path)];
      return kind === "dynamic-import" && name ? { path: `./${name}`, external: true } : undefined;
    });
  },
});

/** Build, and return the files: entry to name, and name to content. */
async function built(options) {
  const { outputFiles, metafile } = await esbuild.build({ ...common, plugins: [smallStyles], ...options });
  const entries = {};
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) entries[basename(entryPoint).replace(/\.ts$/, ".js")] = basename(path);
  }
  return { entries, files: outputFiles.map(({ path, contents }) => [basename(path), contents]) };
}

async function buildPage() {
  const rare = await built({
    entryPoints: RARE.map((name) => `src/outputs/${name}.ts`),
    splitting: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
  });
  const page = await built({ entryPoints: ["src/page.ts"], plugins: [smallStyles, rareElsewhere(rare.entries)] });
  // Named here: esbuild's own hash would leave out what the external names are.
  const [[, script]] = page.files;
  const name = `page-${createHash("sha256").update(script).digest("hex").slice(0, 12)}.js`;

  await mkdir(out, { recursive: true });
  const files = [...rare.files, [name, script]];
  for (const [file, content] of files) await writeFile(join(out, file), content);
  // The manifest comes last, and at once: a server that reads meanwhile finds the old build, or the new.
  const manifest = JSON.stringify({ "page.js": name, ...rare.entries }, null, 2) + "\n";
  await writeFile(join(out, "manifest.json.new"), manifest);
  await rename(join(out, "manifest.json.new"), join(out, "manifest.json"));
  const kept = new Set(["manifest.json", ...files.map(([file]) => file)]);
  for (const file of await readdir(out)) if (!kept.has(file)) await rm(join(out, file), { recursive: true });
}

async function buildLab() {
  const outdir = join(here, "lib");
  await rm(outdir, { recursive: true, force: true });
  await esbuild.build({
    ...common,
    entryPoints: ["src/lab/index.ts"],
    // What Lab itself has, by the names that its share scope knows.
    external: ["@jupyterlab/*", "@lumino/*"],
    plugins: [smallStyles],
    splitting: true,
    write: true,
    outdir,
  });
  const modules = join(here, "node_modules");
  const builder = join(modules, "@jupyter", "builder", "lib", "build-labextension.js");
  const core = join(modules, "@jupyterlab", "core-meta", "core.package.json");
  execFileSync(process.execPath, [builder, "--core-package-file", core, here], { stdio: "inherit" });
}

async function buildTests() {
  const outdir = "node_modules/.tests";
  await rm(join(here, outdir), { recursive: true, force: true });
  const tests = (await readdir(join(here, "tests"))).filter((name) => name.endsWith(".test.ts"));
  const entryPoints = tests.map((name) => join("tests", name));
  await esbuild.build({ ...common, entryPoints, outdir, minify: false, platform: "node", write: true });
}

if (process.argv.includes("--tests")) await buildTests();
else {
  await buildPage();
  if (!process.argv.includes("--page")) await buildLab();
}
