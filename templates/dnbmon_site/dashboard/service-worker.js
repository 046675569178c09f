{% load static %}// Without a connection, one page explains that. Nothing else is kept, so no stale data is ever shown.
const KEPT = "offline-1";
const OFFLINE = "{% url 'offline' %}";
const PARTS = [OFFLINE, "{% static 'dnbmon/plain.css' %}", "{% static 'dnbmon/icon.svg' %}"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(PARTS)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = (names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(others).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  const isPage = event.request.mode === "navigate" && event.request.method === "GET";
  if (!isPage && !PARTS.includes(path)) return;
  event.respondWith(fetch(event.request).catch(() => caches.match(isPage ? OFFLINE : path)));
});
