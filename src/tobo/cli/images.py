"""tobo images: binds a registry's address to a program of this machine or to the files of a container image."""

import copy
import json
import os
import shlex
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tobo.compute.records import file_name
from tobo.operations.bindings import SEARCH_PATH, Binding, read_bindings, write_bindings
from tobo.settings import Settings

app = typer.Typer(help="Images of your own: what an address runs on this machine.", no_args_is_help=True)

State = Annotated[Path | None, typer.Option(help="The server's state folder.")]


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="REGISTRY/REPOSITORY[:TAG] as requests name it.")],
    program: Annotated[str, typer.Option(help="The command to which train or serve is added.")] = "",
    root: Annotated[Path | None, typer.Option(help="A folder with the image's files, or an OCI bundle.")] = None,
    podman: Annotated[str, typer.Option(help="An image that podman has, whose files are copied out once.")] = "",
    docker: Annotated[str, typer.Option(help="The same with docker.")] = "",
    network: Annotated[bool, typer.Option(help="Its server needs the machine's network.")] = False,
    state: State = None,
) -> None:
    """Binds an address: `--program 'python3 /srv/model/main.py'`, `--root FOLDER` or `--podman IMAGE`."""
    settings = Settings.read(state=state)
    if sum(map(bool, (root, podman, docker))) > 1 or not (program or root or podman or docker):
        raise typer.BadParameter("give --program, or one of --root, --podman and --docker, which may have one, too.")
    given = tuple(shlex.split(program))
    if podman or docker:
        binding = _from_tool("podman" if podman else "docker", podman or docker, _copy_folder(settings, address))
    elif root is not None:
        binding = _from_folder(root.expanduser().absolute())
    else:
        visible = {_seen(Path(word), settings) for word in given if word.startswith("/") and Path(word).is_file()}
        binding = Binding(visible=tuple(sorted(visible)))
    binding = replace(binding, program=given or binding.program, network=network)
    write_bindings(settings.state, {**read_bindings(settings.state), address: binding})
    typer.echo(f"{address} runs {_described(binding)}")


@app.command("list")
def list_images(state: State = None) -> None:
    """Prints each bound address and what it runs."""
    for address, binding in sorted(read_bindings(Settings.read(state=state).state).items()):
        typer.echo(f"{address}\t{_described(binding)}")


@app.command()
def remove(address: Annotated[str, typer.Argument(help="The address as it was added.")], state: State = None) -> None:
    """Unbinds an address; files that were copied out of an image go with it."""
    settings = Settings.read(state=state)
    bound = read_bindings(settings.state)
    if address not in bound:
        raise SystemExit(f"{address} is not bound; `tobo images list` shows what is.")
    del bound[address]
    write_bindings(settings.state, bound)
    shutil.rmtree(_copy_folder(settings, address), ignore_errors=True)


def _seen(file: Path, settings: Settings) -> str:
    """What of the machine a program's file needs: its folder, or itself alone where that would show a home or our state."""
    folder = file.parent
    private = (Path.home(), settings.state)
    return str(file if any(folder == path or folder in path.parents for path in private) else folder)


def _described(binding: Binding) -> str:
    where = f" in {binding.root}" if binding.root else ""
    return f"'{shlex.join(binding.program)}'{where}" if binding.program else f"'train' and 'serve'{where}"


def _copy_folder(settings: Settings, address: str) -> Path:
    return settings.state / "images" / file_name(address)


def _from_folder(folder: Path) -> Binding:
    """A plain system, or an OCI bundle (runtime specification: config.json and rootfs/). Raises SystemExit."""
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not a folder; give one with the files of an image, such as bin/ and usr/.")
    config = folder / "config.json"
    if not config.is_file():
        return Binding(root=str(folder), environment={"PATH": SEARCH_PATH})
    told = json.loads(config.read_bytes())
    process = told.get("process", {})
    root = folder / told.get("root", {}).get("path", "rootfs")
    return Binding(
        tuple(process.get("args", ())), str(root), _variables(process.get("env", ())), process.get("cwd", "")
    )


def _from_tool(tool: str, image: str, folder: Path) -> Binding:
    """The files and the configuration of an image that a container tool has. Raises SystemExit."""
    if shutil.which(tool) is None:
        raise SystemExit(f"{tool} is not installed; install it, or give the image's files with --root.")
    config: dict[str, Any] = json.loads(_ask(tool, "image", "inspect", image))[0]["Config"]
    container = _ask(tool, "create", image, "true").strip()
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with subprocess.Popen([tool, "export", container], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
                _unpack(archive, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        _ask(tool, "rm", container)
    return Binding(
        tuple(config.get("Entrypoint") or ()),
        str(folder),
        _variables(config.get("Env") or ()),
        config.get("WorkingDir", ""),
    )


_AS_IT_IS: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
"""Of what `_unpack` has made plain. Python before 3.11.4, which is what Debian 12 has, knows no filters."""


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Files, folders and links of an image, without its devices. Raises SystemExit for what would reach out of `folder`.

    A link leads wherever it likes, for it will be seen from within the image alone; nothing is written through one.
    """
    for member in archive:
        plain = copy.copy(member)
        plain.name = member.name.lstrip("/")
        target = _inside(folder, plain.name)
        if member.isdev() or target == folder:
            continue
        plain.mode = member.mode & 0o755 | (0o700 if member.isdir() else 0o400)
        plain.uid, plain.gid, plain.uname, plain.gname = os.getuid(), os.getgid(), "", ""
        if target.is_symlink() or target.is_file():
            target.unlink()
        if member.islnk():
            _link(_inside(folder, member.linkname.lstrip("/")), target)
        else:
            archive.extract(plain, folder, **_AS_IT_IS)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        raise SystemExit(f"The image's '{target.name}' is a link to what is not there ({error.strerror}).") from None


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    ways = [way for way in path.parents if folder in way.parents]
    if ".." in Path(name).parts or any(way.is_symlink() for way in ways):
        raise SystemExit(
            f"The image's '{name}' leads out of it or through a link; it is not what podman and docker export."
        )
    return path


def _variables(given: Any) -> dict[str, str]:
    return {"PATH": SEARCH_PATH, **dict(str(word).split("=", 1) for word in given)}


def _ask(tool: str, *words: str) -> str:
    ran = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{tool} {' '.join(words[:2])} failed: {ran.stderr.strip()}")
    return ran.stdout
