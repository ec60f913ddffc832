"""A webhook that subscribes to topics as any program would."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.listener import listener
from tests.support.processes import until


@dataclass
class Hook:
    """A webhook that keeps (headers, body) of what it is told; `status` is what it answers."""

    url: str = ""
    status: int = 200
    told: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.status == 200:
            self.told.append((headers, body))
        return self.status

    def documents(self, kind: str = "Notification") -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in list(self.told) if headers["x-amz-sns-message-type"] == kind]


@contextmanager
def webhook() -> Iterator[Hook]:
    """On a free port."""
    found = Hook()
    with listener(found.take) as address:
        found.url = f"{address}/hook"
        yield found


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
