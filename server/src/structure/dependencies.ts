/** Rules about packages: each import is declared, and each declaration is used. */
import { importsOf } from "./imports.ts";
import type { Tree } from "./tree.ts";

interface Manifest {
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Packages that another one runs or needs without their name being written anywhere. */
const companions: Readonly<Record<string, string>> = {
  "oxlint-tsgolint": "oxlint",
  // The compiler's preset of the plugin names it.
  "babel-plugin-react-compiler": "@vitejs/plugin-react",
};

/** Every package that a workspace imports stands in its package.json. */
export function undeclaredPackages(tree: Tree): string[] {
  const declared = new Map(workspacesOf(tree).map((workspace) => [workspace, declaredBy(tree, workspace)]));
  return importsOf(tree).flatMap(({ from, packageName }) => {
    const workspace = [...declared.keys()].find((each) => from.startsWith(`${each}/`)) ?? "";
    if (packageName === undefined || declared.get(workspace)?.includes(packageName)) return [];
    return [`${from} imports ${packageName}, which ${manifestOf(workspace)} does not declare`];
  });
}

/** Every package that a workspace declares is used by it. */
export function unusedPackages(tree: Tree): string[] {
  return workspacesOf(tree).flatMap((workspace) =>
    declaredBy(tree, workspace)
      .filter((name) => !isUsed(tree, workspace, name))
      .map((name) => `${manifestOf(workspace)} declares ${name}, which nothing there uses`),
  );
}

/** The workspaces, and "" for the root, last. */
function workspacesOf(tree: Tree): string[] {
  return [...(manifest(tree, "").workspaces ?? []), ""];
}

function manifestOf(workspace: string): string {
  return workspace === "" ? "package.json" : `${workspace}/package.json`;
}

function manifest(tree: Tree, workspace: string): Manifest {
  return JSON.parse(tree.get(manifestOf(workspace)) ?? "{}") as Manifest;
}

function declaredBy(tree: Tree, workspace: string): string[] {
  const { dependencies, devDependencies } = manifest(tree, workspace);
  return Object.keys({ ...dependencies, ...devDependencies });
}

function isUsed(tree: Tree, workspace: string, name: string): boolean {
  if (name === "@types/node") return true;
  const written = companions[name] ?? name.replace(/^@types\//, "");
  const quoted = new RegExp(`["'\`]${written.replaceAll(/[/.]/g, "\\$&")}["'\`/]`);
  return [...tree].some(([path, text]) => isSourceOf(tree, workspace, path) && quoted.test(text));
}

function isSourceOf(tree: Tree, workspace: string, path: string): boolean {
  if (/(^|\/)package(-lock)?\.json$/.test(path)) return false;
  if (workspace !== "") return path.startsWith(`${workspace}/`);
  return !workspacesOf(tree).some((each) => each !== "" && path.startsWith(`${each}/`));
}
