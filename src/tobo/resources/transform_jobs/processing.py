"""DataProcessing: what of a record the model sees, what of its answer is kept, and the two joined.

Source: Developer Guide, "Associate Prediction Results with Input Records". JSONPath is jsonpath-ng's, restricted to the
operators that AWS names: $ . * [] with names, numbers and a slice.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tobo.kit.fault import validation

_ALLOWED = frozenset({"Root", "Child", "Fields", "Index", "Slice", "Wildcard"})


class BadRecord(ValueError):
    """A record or an answer that cannot be processed; the message is a sentence."""


@dataclass(frozen=True)
class Processing:
    """The filters, parsed (None: everything), and whether inputs are joined with outputs; `form` is the input's."""

    input_filter: Any = None
    output_filter: Any = None
    join: bool = False
    form: str | None = None

    @property
    def touches_output(self) -> bool:
        return self.join or self.output_filter is not None

    def incoming(self, record: bytes) -> bytes:
        """What of a record the model is sent. Raises BadRecord."""
        if self.input_filter is None:
            return record
        return _write(_select(self.input_filter, _read(record, self.form, "record"), "InputFilter"), self.form)

    def outgoing(self, record: bytes, answer: bytes, content_type: str) -> bytes:
        """What of a record and its answer is kept. Raises BadRecord."""
        if not self.touches_output:
            return answer
        form = form_of(content_type)
        kept = _read(answer, form, "answer")
        if self.join:
            if form != self.form:
                raise BadRecord(f"The answer is '{content_type}', which cannot be joined with a record in {self.form}.")
            kept = _join(_read(record, self.form, "record"), kept, self.form)
        if self.output_filter is not None:
            kept = _select(self.output_filter, kept, "OutputFilter")
        return _write(kept, form)


def read_processing(asked: Mapping[str, Any]) -> Processing:
    """Of a CreateTransformJob request; raises Fault ValidationException where its parts do not fit each other."""
    given = asked.get("DataProcessing", {})
    source, output = asked["TransformInput"], asked["TransformOutput"]
    input_filter = _parse(given.get("InputFilter"), "InputFilter")
    output_filter = _parse(given.get("OutputFilter"), "OutputFilter")
    join = given.get("JoinSource") == "Input"
    split, form = source.get("SplitType", "None"), form_of(source.get("ContentType", ""))
    if input_filter is not None or join:
        if form is None:
            raise validation(
                f"DataProcessing needs records in text/csv, application/json or application/jsonlines, but "
                f"TransformInput.ContentType is '{source.get('ContentType', '')}'."
            )
        if split not in ("Line", "None") or (split == "None" and source["ContentType"] != "application/json"):
            raise validation(
                f"DataProcessing reads lines, or whole objects in application/json, but TransformInput.SplitType is "
                f"{split} with the ContentType '{source['ContentType']}'; use SplitType Line."
            )
    if join and split != output.get("AssembleWith", "None"):
        raise validation(
            f"JoinSource Input needs SplitType and AssembleWith to be the same, but they are {split} and "
            f"{output.get('AssembleWith', 'None')}."
        )
    if join and output.get("Accept") and form_of(output["Accept"]) != form:
        raise validation(
            f"JoinSource Input needs answers in the records' format, but TransformOutput.Accept is "
            f"'{output['Accept']}' and ContentType '{source['ContentType']}'."
        )
    return Processing(input_filter, output_filter, join, form)


def form_of(content_type: str) -> str | None:
    """csv or json; None for types that have no parts."""
    match content_type.partition(";")[0].strip().lower():
        case "text/csv":
            return "csv"
        case "application/json" | "application/jsonlines" | "application/x-jsonlines":
            return "json"
    return None


def _parse(text: str | None, place: str) -> Any:
    """A JSONPath; None for what selects everything."""
    if text is None or text.strip() in ("", "$"):
        return None
    from jsonpath_ng.exceptions import JSONPathError  # here: a server without filters can do without its grammar
    from jsonpath_ng.parser import parse

    try:
        path = parse(text)
    except JSONPathError as error:
        raise validation(f"DataProcessing.{place} '{text}' is not a JSONPath: {error}.") from None
    if not text.startswith("$") or (strange := _nodes(path) - _ALLOWED):
        strange = strange if text.startswith("$") else {"no leading $"}
        raise validation(
            f"DataProcessing.{place} '{text}' has {', '.join(sorted(strange))}; a path begins with $ and may use "
            "names, numbers, slices and *."
        )
    return path


def _nodes(path: Any) -> set[str]:
    """The kinds of all parts of a path."""
    kinds = {type(path).__name__}
    for side in ("left", "right"):
        if hasattr(path, side):
            kinds |= _nodes(getattr(path, side))
    return kinds


def _select(path: Any, value: Any, place: str) -> Any:
    """One value where the path can mean only one; an object where it ends in several names; else a list."""
    found = path.find(value)
    if not found:
        raise BadRecord(f"{place} '{path}' selects nothing of the record.")
    if _single(path):
        return found[0].value
    last = path.right
    if type(last).__name__ == "Fields" and _single(path.left):
        return {match.path.fields[0]: match.value for match in found}
    return [match.value for match in found]


def _single(path: Any) -> bool:
    match type(path).__name__:
        case "Root":
            return True
        case "Child":
            return _single(path.left) and _single(path.right)
        case "Fields":
            return len(path.fields) == 1 and path.fields[0] != "*"
        case "Index":
            return len(path.indices) == 1
    return False


def _read(data: bytes, form: str | None, what: str) -> Any:
    if form is None:
        raise BadRecord(f"The {what} is neither CSV nor JSON, so that no filter can read it.")
    try:
        if form == "json":
            return orjson.loads(data)
        [row] = csv.reader(io.StringIO(data.decode().strip("\r\n")), strict=True)
        return row
    except (ValueError, csv.Error):
        raise BadRecord(f"The {what} is not {'JSON' if form == 'json' else 'one line of CSV'}.") from None


def _write(value: Any, form: str | None) -> bytes:
    if form == "json":
        return orjson.dumps(value)
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return text.getvalue().encode()


def _join(record: Any, answer: Any, form: str | None) -> Any:
    if form == "csv":
        return [*record, *answer]
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": answer}
    return {"SageMakerInput": record, "SageMakerOutput": answer}
