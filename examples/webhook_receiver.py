"""Takes webhooks, checks that they are ours, and leaves out what it had before.

The data of a change has a verb: "observed" and "reinstated" hold, "replaced" and "withdrawn" take the change back.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

seen: set[str] = set()  # a table in real life: the same id may come again after a restart


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(401)
            return
        if self.headers["webhook-id"] not in seen:
            print(event["type"], event["data"].get("verb", ""), event["data"], flush=True)
            seen.add(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()


HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver).serve_forever()
