import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", "lib/", "dist/"] },
  {
    files: ["src/**/*.ts", "tests/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in template strings are what most labels are made of.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Handlers are arrow functions of one act; whether the act returns void is not the reader's concern.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["src/lab/**/*.ts"],
    // Lumino's signals take a method and its `this` apart.
    rules: { "@typescript-eslint/unbound-method": "off" },
  },
  {
    files: ["tests/**/*.ts"],
    // node:test hands back promises that its own runner awaits.
    rules: { "@typescript-eslint/no-floating-promises": "off" },
  },
);
