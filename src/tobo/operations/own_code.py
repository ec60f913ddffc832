"""User code in its process: the sandbox that shows it its /opt/ml tree, and the Python environment that is its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tobo.compute.base import Bind, Sandbox
from tobo.frameworks import environments
from tobo.kit.arn import Namespace
from tobo.kit.paths import MlPaths
from tobo.operations.context import Context
from tobo.operations.images import Image

OPT_ML = "/opt/ml"
_VENV = "/opt/venv"


def image_view(image: Image, binds: Sequence[Bind]) -> Sandbox:
    """The sandbox of a process of an image: what the image is bound to, and over it `binds`."""
    binding = image.binding
    if binding is None:
        return Sandbox(tuple(binds))
    visible = [Bind(Path(folder), folder) for folder in binding.visible]
    return Sandbox((*visible, *binds), Path(binding.root) if binding.root else None, binding.folder or None)


@dataclass(frozen=True)
class Surroundings:
    """What a process of user code is started with. `paths` is its tree as it sees it: /opt/ml in a sandbox.

    `environment` is for the programs of tobo.frameworks and wins over everything else.
    """

    sandbox: Sandbox
    paths: MlPaths
    environment: Mapping[str, str]


def surround(
    context: Context,
    space: Namespace,
    image: Image,
    root: Path,
    private: Path,
    *,
    requirements: Path | None = None,
    read_only: Sequence[Path] = (),
    given: Mapping[str, str] | None = None,
) -> Surroundings:
    """The surroundings of a process whose /opt/ml tree is `root`; safe to repeat.

    `private` is a folder for its own Python environment. `requirements` are installed into a shared one, which the
    process may write to as long as it is not complete; `given` are the variables that the user set, pip's among them.
    `read_only` are folders below `root` that the process must not change.
    """
    private.mkdir(parents=True, exist_ok=True)
    paths = MlPaths(root)
    binds = [Bind(root, OPT_ML, writable=True)]
    # What the server reads or binds afterwards is mounted from the first process on: nobody can replace a mounted folder
    # by a link to what the server may read and the process may not.
    mounted = dict.fromkeys((paths.model, paths.output, paths.output_data, paths.checkpoints), True)
    if root in private.parents:
        mounted[root / private.relative_to(root).parts[0]] = False
    mounted |= dict.fromkeys(read_only, False)
    for path, writable in mounted.items():
        path.mkdir(parents=True, exist_ok=True)
        binds.append(Bind(path, f"{OPT_ML}/{path.relative_to(root)}", writable))
    binds.append(Bind(private, _VENV, writable=True))
    told: dict[str, str] = {}
    if requirements is not None:
        framework = image.framework.name if image.framework else image.name
        name = environments.key(requirements, framework, space.account, given or {})
        shared = context.settings.state / "environments" / name
        shared.mkdir(parents=True, exist_ok=True)
        # Environments cannot be moved: it is seen where it lies.
        binds.append(Bind(shared, str(shared), writable=not environments.is_ready(shared)))
        told["TOBO_ENVIRONMENT"] = str(shared)
    sandbox = image_view(image, binds)

    def seen(path: Path) -> str:
        inside = sandbox.inside(path) if context.compute.sandboxes else None
        return str(path) if inside is None else inside

    if requirements is not None:
        told["TOBO_REQUIREMENTS"] = seen(requirements)
    return Surroundings(sandbox, MlPaths(Path(seen(root))), {**told, "TOBO_VENV": seen(private)})
