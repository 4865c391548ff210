/** nbfunc in JupyterLab and Notebook 7: the wiring of panel, tabs, cards, commands and settings. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { ITranslator } from "@jupyterlab/translation";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";

import { FormElement } from "../form.js";
import { speak } from "../words.js";
import { Activity } from "./activity.js";
import { CARD_TYPE, Card } from "./card.js";
import { Catalog, targetOf, type Target } from "./catalog.js";
import { serverOf } from "./door.js";
import { FormView } from "./form-view.js";
import { formIcon } from "./icon.js";
import { sendInline } from "./inline.js";
import { followKernel, tellLost } from "./lost.js";
import { nameControls } from "./named.js";
import { tellEnds } from "./notices.js";
import { SidePanel } from "./panel.js";

const SHOW = "nbfunc:show";
const OPEN = "nbfunc:open";
const OPEN_TAB = "nbfunc:open-tab";
const PLUGIN = "nbfunc:plugin";

type Tab = MainAreaWidget<FormView>;

function targetFrom(args: ReadonlyPartialJSONObject): Target {
  const text = (name: string): string | null => (typeof args[name] === "string" ? args[name] : null);
  return { name: text("name") ?? "", kernel: text("kernel"), notebook: text("notebook") };
}

function activate(
  app: JupyterFrontEnd,
  rendermime: IRenderMimeRegistry,
  translator: ITranslator,
  notebooks: INotebookTracker | null,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  settings: ISettingRegistry | null,
  labShell: ILabShell | null,
): void {
  const { commands, shell, serviceManager } = app;
  const trans = translator.load("nbfunc");
  speak((text, ...values) => trans.__(text, ...values));
  const server = serverOf(serviceManager.serverSettings);
  const catalog = new Catalog(server, serviceManager.sessions);
  const activity = new Activity(server);
  customElements.define("nbfunc-form", FormElement);

  const openNotebook = (path: string): void => void commands.execute("docmanager:open", { path });
  const runCells = async (path: string): Promise<void> => {
    const panel = (await commands.execute("docmanager:open", { path })) as NotebookPanel | undefined;
    await panel?.context.ready;
    await panel?.sessionContext.ready;
    if (panel) shell.activateById(panel.id);
    await commands.execute("notebook:run-all-cells");
  };
  const shared = {
    server,
    catalog,
    activity,
    rendermime,
    trans,
    openNotebook,
    runCells: (path: string): void => void runCells(path),
    notebook: () => notebooks?.currentWidget?.context.path ?? null,
  };

  const panel = new SidePanel({
    ...shared,
    picked: (row) => void commands.execute(OPEN, { ...targetOf(row) }),
    // Notebook 7 has one document to a page.
    ...(labShell ? { beside: (target: Target): void => void commands.execute(OPEN_TAB, { ...target }) } : {}),
  });
  panel.id = "nbfunc-panel";
  panel.title.icon = formIcon;
  panel.title.caption = trans.__("Functions as Forms");
  panel.node.setAttribute("role", "region");
  panel.node.setAttribute("aria-label", trans.__("Functions as Forms"));
  shell.add(panel, "left", { rank: 850, type: "Functions" });
  restorer?.add(panel, "nbfunc-panel");
  notebooks?.currentChanged.connect(() => panel.update());

  const tabs = new WidgetTracker<Tab>({ namespace: "nbfunc" });
  const show = (): void => shell.activateById(panel.id);
  let opensInTab = false;
  let noticeAfter = 10;

  commands.addCommand(SHOW, {
    label: trans.__("Show Functions as Forms"),
    icon: formIcon,
    execute: show,
  });
  commands.addCommand(OPEN, {
    label: trans.__("Open the Form of a Function"),
    execute: (args) => {
      if (opensInTab && labShell) return commands.execute(OPEN_TAB, args);
      panel.open(targetFrom(args));
      show();
      return undefined;
    },
  });
  commands.addCommand(OPEN_TAB, {
    label: trans.__("Open the Form of a Function in a Tab"),
    execute: (args) => {
      const target = targetFrom(args);
      const there = tabs.find(({ content }) => same(content.target, target));
      if (there) {
        shell.activateById(there.id);
        return there;
      }
      const content = new FormView({ ...shared, target });
      const tab: Tab = new MainAreaWidget({ content });
      tab.id = `nbfunc-${target.kernel ?? ""}-${target.notebook ?? ""}-${target.name}`;
      tab.title.icon = formIcon;
      shell.add(tab, "main", { mode: "split-right" });
      void tabs.add(tab);
      shell.activateById(tab.id);
      return tab;
    },
  });
  palette?.addItem({ command: SHOW, category: trans.__("Functions") });
  void restorer?.restore(tabs, {
    command: OPEN_TAB,
    args: ({ content }) => ({ ...content.target }),
    name: ({ content: { target } }) => `${target.notebook ?? target.kernel ?? ""}#${target.name}`,
  });

  const base = new URL(server.api.shared).pathname.replace(/-\/$/, "");
  rendermime.addFactory(
    {
      safe: true,
      mimeTypes: [CARD_TYPE],
      defaultRank: 0,
      createRenderer: () =>
        new Card({
          ...shared,
          notebookOf: (node) => notebooks?.find(({ node: notebook }) => notebook.contains(node))?.context.path ?? null,
          open: (target) => void commands.execute(OPEN, { ...target }),
          ours: (url) => url.startsWith(base),
        }),
    },
    0,
  );

  sendInline(server.api, document);
  notebooks?.widgetAdded.connect((_, notebook) => followKernel(notebook));
  // ipywidgets tells nobody when it has drawn something.
  let looking = 0;
  const look = (): void => {
    looking = 0;
    nameControls(document);
    notebooks?.forEach(tellLost);
  };
  new MutationObserver(() => (looking ||= window.setTimeout(look, 100))).observe(document.body, {
    childList: true,
    subtree: true,
  });
  document.addEventListener("nbfunc-started", () => void activity.look());
  tellEnds(activity, {
    catalog,
    trans,
    after: () => noticeAfter,
    inView: (url) => panel.shows(url) || !!tabs.find(({ content }) => content.shows(url)),
    open: (row) => void commands.execute(OPEN, { ...targetOf(row) }),
  });

  const read = (loaded: ISettingRegistry.ISettings): void => {
    opensInTab = loaded.composite["openIn"] === "tab";
    noticeAfter = Number(loaded.composite["noticeAfter"] ?? 10);
  };
  settings
    ?.load(PLUGIN)
    .then((loaded) => {
      read(loaded);
      loaded.changed.connect(read);
    })
    .catch((error: unknown) => console.warn("nbfunc: no settings:", error));
}

function same(a: Target, b: Target): boolean {
  return a.name === b.name && (a.notebook !== null ? a.notebook === b.notebook : a.kernel === b.kernel);
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "Functions of running kernels as forms.",
  autoStart: true,
  requires: [IRenderMimeRegistry, ITranslator],
  optional: [INotebookTracker, ICommandPalette, ILayoutRestorer, ISettingRegistry, ILabShell],
  activate,
};

export default plugin;
