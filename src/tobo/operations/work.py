"""Work: what workers are asked, labelling jobs and the human loops of flow definitions.

Each kind is served by its noun's own functions, which are joined here into the operations of tobo's service `tobo-labeling`.
A work's ARN, in the member LabelingJobArn, says of which kind it is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.operations.registry import Asked, Serve, operation
from tobo.tasks.base import Answer, Item

SERVICE = "tobo-labeling"

Resource = Callable[[Call, Asked], str]


class _Served(NamedTuple):
    """What serves an operation for one kind of work, and the ARN that it is asked on."""

    serve: Serve
    resource: Resource


_SERVED: dict[str, dict[str, _Served]] = {}
"""By operation and kind of work."""

_LISTS: list[Callable[[Call], list[dict[str, Any]]]] = []


def work_operation(name: str, kind: str, resource: Resource, action: str | None = None) -> Callable[[Serve], Serve]:
    """Registers how works of a kind serve an operation of tobo-labeling; `kind` is what their ARNs have before the slash."""

    def register(serve: Serve) -> Serve:
        kinds = _SERVED.setdefault(name, {})
        if not kinds:
            operation(SERVICE, name, action, lambda call, asked: _served(name, asked).resource(call, asked))(
                lambda call, asked: _served(name, asked).serve(call, asked)
            )
        kinds[kind] = _Served(serve, resource)
        return serve

    return register


def listed_work(list_work: Callable[[Call], list[dict[str, Any]]]) -> Callable[[Call], list[dict[str, Any]]]:
    """Registers what a kind of work adds to ListWork."""
    if not _LISTS:
        operation(SERVICE, "ListWork")(lambda call, asked: {"Work": [work for each in _LISTS for work in each(call)]})
    _LISTS.append(list_work)
    return list_work


def _served(name: str, asked: Asked) -> _Served:
    """Raises Fault ResourceNotFound for an ARN that is no such work's."""
    arn = asked["LabelingJobArn"]
    served = _SERVED[name].get(parse_arn(arn).resource.partition("/")[0])
    if served is None:
        raise Fault("ResourceNotFound", f"'{arn}' is no work that {name} is for; ListWork tells yours.")
    return served


def items_page(call: Call, work: str, asked: Asked) -> dict[str, Any]:
    """ListItems of a work: in the order of their numbers, from one number on and in one state, if asked."""
    tokens = Tokens.of("work-items", asked)
    limit = asked.get("MaxResults") or 50
    after = tokens.read(asked.get("NextToken"))
    begin = after[1] if after else (asked.get("FromItemNumber") or 0) - 1
    found = call.context.tasks.items(work, begin, limit + 1, asked.get("State"))
    answer: dict[str, Any] = {"Items": [_item_told(item) for item in found[:limit]]}
    if len(found) > limit:
        answer["NextToken"] = tokens.write(("", found[limit - 1].number))
    return answer


def answers_told(call: Call, work: str, asked: Asked) -> dict[str, Any]:
    """ListAnswers of a work: all that was said of one item, and by whom."""
    found = call.context.tasks.answers_of(work, asked["ItemNumber"])
    return {"Answers": [answer_told(answer, answer.worker) for answer in found]}


def answer_told(answer: Answer, worker: str) -> dict[str, Any]:
    return {
        "ItemNumber": answer.number,
        "Worker": worker,
        "Body": answer.body,
        "AnsweredAt": answer.at,
        "Seconds": answer.seconds,
        "Role": answer.role,
    }


def _item_told(item: Item) -> dict[str, Any]:
    told = {
        "ItemNumber": item.number,
        "Source": item.source,
        "State": item.state,
        "Answers": item.answers,
        "Skips": item.skips,
    }
    return told | ({"Result": item.result} if item.result else {})
