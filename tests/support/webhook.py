"""A webhook that subscribes to topics as any program would."""

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.processes import until


@dataclass
class Hook:
    """A webhook that keeps (headers, body) of what it is told; `status` is what it answers."""

    url: str = ""
    status: int = 200
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def documents(self, kind: str = "Notification") -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in list(self.told) if headers["x-amz-sns-message-type"] == kind]


@contextmanager
def webhook() -> Iterator[Hook]:
    """On a free port."""
    found = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if found.status == 200:
                found.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{listener.server_port}/hook"
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def confirmed(sns: Any, topic: str, hook: Hook, **attributes: str) -> str:
    """The ARN of a subscription that the webhook has confirmed by its link."""
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, Attributes=attributes)
    until(lambda: hook.documents("SubscriptionConfirmation"))
    with urllib.request.urlopen(hook.documents("SubscriptionConfirmation")[-1]["SubscribeURL"], timeout=10) as answer:
        page = answer.read().decode()
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert found["SubscriptionArn"] in page
    arn: str = found["SubscriptionArn"]
    return arn
