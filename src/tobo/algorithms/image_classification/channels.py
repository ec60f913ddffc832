"""The input channels, in any of their four forms, as labelled examples.

- RecordIO: `.rec` files in the channel.
- Pictures with a list: the channel `<name>_lst` holds a `.lst` file, lines of `index \\t label \\t path below <name>`
  (multi_label: several label columns).
- Augmented manifest: a `.manifest`, `.jsonl` or `-manifest` file of JSON lines, pictures beside it; the attribute
  names come from inputdataconfig.json (`AttributeNames`), else `source-ref` and the first other one without `-metadata`.
- One folder a class: class indices follow the sorted folder names.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tobo.algorithms.image_classification import recordio
from tobo.algorithms.image_classification.examples import Example, Examples, check_gaps, parse_label
from tobo.algorithms.image_classification.settings import Settings
from tobo.kit.guest import UserError
from tobo.kit.paths import MlPaths

_MANIFESTS = ("*.manifest", "*.jsonl", "*-manifest")


def read(paths: MlPaths, settings: Settings) -> tuple[Examples, Examples | None]:
    """(train, validation or None); raises UserError naming file and line."""
    train = read_channel(paths, "train", settings)
    if train is None:
        raise UserError("The channel 'train' is missing or empty; add it to InputDataConfig.")
    check_gaps(train, settings)
    if len(train.items) < 2:
        raise UserError("The channel 'train' has a single picture; at least 2 are needed.")
    return train, read_channel(paths, "validation", settings, train.names)


def read_channel(
    paths: MlPaths, name: str, settings: Settings, classes: tuple[str, ...] | None = None
) -> Examples | None:
    """A channel's examples in a fixed order; None where the channel does not exist or is empty.

    `classes` are the folder names already known, in the order of their indices.
    """
    folder = paths.channel(name)
    lists = paths.channel(f"{name}_lst")
    if not folder.is_dir():
        return None
    if lists.is_dir():
        return _from_list(folder, lists, settings)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files:
        return None
    records = [file for file in files if file.suffix == ".rec"]
    if records:
        return Examples(f"{name}/{records[0].name}", tuple(_from_records(records, folder, name, settings)))
    manifests = [file for file in files if any(file.match(pattern) for pattern in _MANIFESTS)]
    if manifests:
        return _from_manifest(folder, manifests, name, _attributes(paths, name), settings)
    return _from_folders(folder, files, name, settings, classes)


def _from_records(records: list[Path], folder: Path, name: str, settings: Settings) -> Iterator[Example]:
    for file in records:
        shown = f"{name}/{file.relative_to(folder)}"
        for number, record in enumerate(recordio.scan(file)):
            place = f"{shown}, record {number} (id {record.id})"
            yield Example(place, parse_label(record.labels, settings, place), file, record.offset)


def _from_list(folder: Path, lists: Path, settings: Settings) -> Examples:
    files = sorted(file for file in lists.rglob("*") if file.is_file())
    files = [file for file in files if file.suffix == ".lst"] or files
    if len(files) != 1:
        raise UserError(f"The channel '{lists.name}' has {len(files)} files; it has to hold one .lst file.")
    source = f"{lists.name}/{files[0].name}"
    items: list[Example] = []
    for number, line in enumerate(_lines(files[0], source), 1):
        if not line.strip():
            continue
        place = f"{source}, line {number}"
        columns = line.split("\t")
        if len(columns) < 3 or not columns[-1].strip():
            raise UserError(f"{place}: expected 'index<TAB>label<TAB>path', found '{line[:80]}'.")
        key = columns[-1].strip()
        picture = folder / key
        if not picture.is_file():
            raise UserError(f"{place}: there is no picture '{key}' in the channel '{folder.name}'.")
        items.append(Example(key, parse_label(columns[1:-1], settings, place), picture))
    if not items:
        raise UserError(f"{source} is empty.")
    return Examples(source, tuple(items), _folder_names(items, settings))


def _folder_names(items: list[Example], settings: Settings) -> tuple[str, ...] | None:
    """Class names for a list whose every class has a folder to itself."""
    folders = {item.label: Path(item.key).parent.name for item in items}
    pairs = {(item.label, Path(item.key).parent.name) for item in items}
    if settings.multi_label or len(pairs) != len(folders) or len(set(folders.values())) != len(folders):
        return None
    if set(folders) != set(range(settings.num_classes)) or "" in folders.values():
        return None
    return tuple(folders[index] for index in range(settings.num_classes))


def _from_manifest(
    folder: Path, manifests: list[Path], name: str, attributes: tuple[str, ...], settings: Settings
) -> Examples:
    items: list[Example] = []
    names: dict[int, str] = {}
    for file in manifests:
        shown = f"{name}/{file.relative_to(folder)}"
        for number, line in enumerate(_lines(file, shown), 1):
            if not line.strip():
                continue
            place = f"{shown}, line {number}"
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise UserError(f"{place} is not JSON ({error}).") from None
            item, class_name = _manifest_entry(entry, folder, attributes, settings, place)
            items.append(item)
            if class_name is not None and isinstance(item.label, int):
                names[item.label] = class_name
    complete = set(names) == set(range(settings.num_classes))
    found = tuple(names[i] for i in range(settings.num_classes)) if complete else None
    return Examples(f"{name}/{manifests[0].name}", tuple(items), found)


def _manifest_entry(
    entry: object, folder: Path, attributes: tuple[str, ...], settings: Settings, place: str
) -> tuple[Example, str | None]:
    """(example, class name of Ground Truth's metadata or None)."""
    if not isinstance(entry, dict):
        raise UserError(f"{place}: expected a JSON object with 'source-ref' and a label.")
    reference = attributes[0] if attributes else "source-ref"
    others = [key for key in entry if key != reference and not key.endswith("-metadata")]
    attribute = attributes[1] if len(attributes) > 1 else others[0] if others else "label"
    for needed in (reference, attribute):
        if needed not in entry:
            raise UserError(f"{place}: the attribute '{needed}' is missing.")
    picture = _find(folder, str(entry[reference]))
    if picture is None:
        raise UserError(f"{place}: the picture '{entry[reference]}' is not in the channel.")
    told = entry.get(f"{attribute}-metadata")
    metadata = told if isinstance(told, dict) else {}
    # Ground Truth's several classes an item are indices, and its metadata has their names by index.
    label = parse_label(_values(entry[attribute], place), settings, place, flags="class-map" not in metadata)
    class_name = metadata.get("class-name")
    return Example(str(entry[reference]), label, picture), class_name


def _values(value: object, place: str) -> list[object]:
    """A label as a list: a number, a list, or either as a string ("[0, 1]")."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise UserError(f"{place}: the label '{value}' is not a list of numbers.") from None
    return value if isinstance(value, list) else [value]


def _find(folder: Path, address: str) -> Path | None:
    """The file of an s3:// address (or relative path) in the channel: the longest tail of it that exists."""
    parts = [part for part in address.removeprefix("s3://").split("/") if part not in ("", ".", "..")]
    return next((file for i in range(len(parts)) if (file := folder.joinpath(*parts[i:])).is_file()), None)


def _attributes(paths: MlPaths, name: str) -> tuple[str, ...]:
    """AttributeNames of a channel, reference first; () where the job has none."""
    try:
        config = json.loads(paths.input_data_config.read_text())
    except (OSError, ValueError):
        return ()
    return tuple(config.get(name, {}).get("AttributeNames", ()))


def _from_folders(
    folder: Path, files: list[Path], name: str, settings: Settings, classes: tuple[str, ...] | None
) -> Examples:
    if settings.multi_label:
        raise UserError(f"The channel '{name}' has one folder a class, which cannot say several; use a .lst file.")
    pictures = [file for file in files if file.parent != folder and not file.name.startswith(".")]
    if not pictures:
        raise UserError(
            f"The channel '{name}' has neither .rec files nor a manifest nor one folder a class, and there is no "
            f"channel '{name}_lst'; give one of them."
        )
    found = {file.relative_to(folder).parts[0] for file in pictures}
    if classes is not None and found - set(classes):
        odd = ", ".join(sorted(found - set(classes)))
        raise UserError(f"The channel '{name}' has class folders that 'train' has not: {odd}.")
    names = classes or tuple(sorted(found))
    if len(names) != settings.num_classes:
        raise UserError(
            f"The channel '{name}' has {len(names)} class folders ({', '.join(names[:5])}), but "
            f"num_classes={settings.num_classes}."
        )
    index = {class_name: number for number, class_name in enumerate(names)}
    keys = (file.relative_to(folder) for file in pictures)
    return Examples(name, tuple(Example(str(key), index[key.parts[0]], folder / key) for key in keys), names)


def _lines(file: Path, shown: str) -> list[str]:
    try:
        return [line.removesuffix("\r") for line in file.read_text(encoding="utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        raise UserError(f"{shown} is not UTF-8 text (byte {error.start}).") from None
