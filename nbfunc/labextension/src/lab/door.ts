/** Requests of the form element by Lab's own connection to its server: its address, its token, its XSRF. */

import { URLExt } from "@jupyterlab/coreutils";
import { ServerConnection } from "@jupyterlab/services";

import { Api, xsrf, type Door } from "../api.js";

/** What everything here asks with. */
export interface Server {
  door: Door;
  /** Of what belongs to no function: S. */
  api: Api;
  /** An address of the server's answers, whole. */
  absolute(url: string): string;
}

export function serverOf(settings: ServerConnection.ISettings): Server {
  const base = new URL(settings.baseUrl, document.baseURI).href;
  const door: Door = {
    fetch: (url, init) => ServerConnection.makeRequest(url, init, settings),
    headers: () => ({ ...xsrf(), ...(settings.token ? { Authorization: `token ${settings.token}` } : {}) }),
  };
  return {
    door,
    api: new Api("", URLExt.join(base, "nbfunc/-/"), door),
    absolute: (url) => new URL(url, base).href,
  };
}
