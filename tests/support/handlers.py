"""How an endpoint gets one of the models in tests/support/served."""

import io
import tarfile
from typing import Any


def archive(**files: str) -> bytes:
    """A model.tar.gz of text files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


def model_request(name: str, image: str, data: str, **container: Any) -> dict[str, Any]:
    """A CreateModel request for an image of served_images.py and its artefact."""
    made = {"Image": image, "ModelDataUrl": data, **container}
    return {"ModelName": name, "ExecutionRoleArn": "arn:aws:iam::111122223333:role/any", "PrimaryContainer": made}
