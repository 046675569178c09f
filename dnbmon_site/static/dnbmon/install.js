// Lets a phone install D&B Monitoring: its service worker keeps one page, shown while there is no connection.
if ("serviceWorker" in navigator && window.isSecureContext) {
  window.addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js").catch(() => undefined));
}
