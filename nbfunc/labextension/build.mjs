// Build the page into nbfunc/web/static/: hashed modules, and manifest.json that says which is which.
//
//   node build.mjs           build once
//   node build.mjs --watch   and again at each change (manifest.json follows)
//   node build.mjs --tests   bundle tests/ for node's runner into node_modules/.tests/
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "web", "static");

const common = { absWorkingDir: here, bundle: true, format: "esm", target: "es2022", logLevel: "warning" };

/** The template text of Lit is code to esbuild: squeeze the white space that only indents. */
const squeezeTemplates = {
  name: "squeeze-css",
  setup(build) {
    build.onLoad({ filter: /style\.ts$/ }, async ({ path }) => {
      const { readFile } = await import("node:fs/promises");
      const text = await readFile(path, "utf8");
      return {
        loader: "ts",
        contents: text.replace(/css`([^`]*)`/g, (_, rules) => {
          const { code } = esbuild.transformSync(rules, { loader: "css", minify: true, target: "chrome123" });
          return `css\`${code.trim().replaceAll("\\", "\\\\")}\``;
        }),
      };
    });
  },
};

/** Name each entry's hashed file in manifest.json, and remove the files of builds before. */
const manifest = {
  name: "manifest",
  setup(build) {
    build.onEnd(async ({ metafile, errors }) => {
      if (errors.length) return;
      const names = {};
      const kept = new Set(["manifest.json"]);
      for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
        kept.add(basename(path));
        if (entryPoint) names[basename(entryPoint).replace(/\.ts$/, ".js")] ??= basename(path);
      }
      const page = Object.entries(metafile.outputs).find(([, o]) => o.entryPoint === "src/page.ts");
      names["page.js"] = basename(page[0]);
      await writeFile(join(out, "manifest.json"), JSON.stringify(names, null, 2) + "\n");
      for (const name of await readdir(out)) if (!kept.has(name)) await rm(join(out, name), { recursive: true });
    });
  },
};

if (process.argv.includes("--tests")) {
  const tests = (await readdir(join(here, "tests"))).filter((name) => name.endsWith(".test.ts"));
  await rm(join(here, "node_modules/.tests"), { recursive: true, force: true });
  await esbuild.build({
    ...common,
    entryPoints: tests.map((name) => join("tests", name)),
    outdir: "node_modules/.tests",
    platform: "node",
  });
} else {
  await mkdir(out, { recursive: true });
  const options = {
    ...common,
    entryPoints: ["src/page.ts"],
    outdir: out,
    splitting: true,
    minify: true,
    metafile: true,
    legalComments: "none",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    plugins: [squeezeTemplates, manifest],
  };
  if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
