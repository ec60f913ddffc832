"""Pictures that cannot be labelled because they cannot be shown."""

import warnings
from collections.abc import Mapping
from typing import Any

from PIL import Image, UnidentifiedImageError

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.objects.base import Objects
from tobo.resources.labeling_jobs.manifest import source_of


def trouble_with(objects: Objects, space: Namespace, told: Mapping[str, Any]) -> str:
    """Why the picture of a manifest's line cannot be shown, in a sentence; "" where it can."""
    uri = source_of(dict(told))
    if uri is None:
        return ""
    try:
        path = objects.path(space, objects.head(space, uri.bucket, uri.key))
    except Fault as fault:
        return fault.message
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image.load()
    except UnidentifiedImageError:
        return f"'{uri}' is no picture that can be shown."  # the error names the file on this machine
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        return f"'{uri}' is no picture that can be shown ({error})."
    return ""
