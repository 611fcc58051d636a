/** How a URL is called in messages: without user, password, query and fragment, which may hold credentials. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
