// Lets a phone install the program: the service worker behind it keeps one page, which says that there is no connection.
if ("serviceWorker" in navigator && window.isSecureContext) {
  window.addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js").catch(() => undefined));
}
