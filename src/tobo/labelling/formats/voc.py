"""Pascal VOC: one XML file a picture, with the corners of its boxes.

The form of the VOC development kit as tools of today write it (LabelImg, CVAT): corners are pixels counted from 0, and
xmax - xmin is the width. A folder holds `Annotations/*.xml` and the pictures in `JPEGImages/`; subfolders are kept.
"""

from pathlib import Path

from tobo.labelling.dataset import Box, DataObject, Dataset, Loss
from tobo.labelling.formats import markup, pictures
from tobo.labelling.formats.markup import Element, add, child_text, line_of
from tobo.labelling.formats.naming import ordered
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.refusal import Place, Unsayable, shown
from tobo.labelling.formats.text_files import new_folder

SAYS = frozenset({"boxes", "pictures"})


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """A folder of XML files (with `Annotations/` or without), or one of them. Raises Malformed naming file and line."""
    if source.is_dir():
        inside = source / "Annotations" if (source / "Annotations").is_dir() else source
        files = sorted(inside.rglob("*.xml"))
        root = source / "JPEGImages" if (source / "JPEGImages").is_dir() else source
    else:
        files, root = [source], source.parent
    place = Place(str(source))
    if not files:
        place.refuse("no XML file is in it; a VOC folder has one for each picture, in Annotations/.")
    objects: list[DataObject] = []
    outlined = 0
    for file in files:
        item, more = _read_file(file)
        outlined += more
        objects.append(item)
    names = [shape.name for item in objects for shape in item.shapes or ()]
    left_out = (Loss(f"{outlined} objects have polygons, of which the boxes are read."),) if outlined else ()
    return Dataset(
        ordered(names, options.classes, place), tuple(objects), root=options.pictures or root, left_out=left_out
    )


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Raises Unsayable where two pictures would share an XML file, or something is no box."""
    roots: dict[Path, Element] = {}
    for item in dataset.objects:
        file = Path("Annotations", pictures.relative(item.source)).with_suffix(".xml")
        if file in roots:
            raise Unsayable(f"Two pictures would share {file}, one is '{item.source}'; rename one of them.")
        roots[file] = _element(pictures.sized(item, dataset.root))
    new_folder(target)
    missing = 0
    for item, (file, root) in zip(dataset.objects, roots.items(), strict=True):
        markup.write(root, target / file)
        missing += not pictures.copy(dataset, item, target / "JPEGImages" / pictures.relative(item.source))
    losses = list(pictures.not_copied(missing))
    used = {shape.name for item in dataset.objects for shape in item.shapes or ()}
    if list(dataset.classes) != sorted(used):
        losses.append(
            Loss(
                "The order of the classes is not in the files, nor is a class without a box; read it with --classes.",
                False,
            )
        )
    return tuple(losses)


def _read_file(file: Path) -> tuple[DataObject, int]:
    """(the picture, how many of its objects have polygons)."""
    place = Place(str(file))
    root = markup.parse(file)
    if root.tag != "annotation":
        line_of(place, root).refuse("expected <annotation>, the root of a VOC file.")
    path = child_text(root, "path") or ""
    name = path if path.startswith("s3://") else child_text(root, "filename")
    if name is None:
        line_of(place, root).refuse("<filename> is missing; it names the picture.")
    size = root.find("size")
    at = place if size is None else line_of(place, size)
    width = None if size is None else at.size(child_text(size, "width"), "<width>")
    height = None if size is None else at.size(child_text(size, "height"), "<height>")
    found = root.findall("object")
    shapes = tuple(_box(place, element) for element in found)
    return DataObject(name, width, height, shapes=shapes), sum(one.find("polygon") is not None for one in found)


def _box(place: Place, element: Element) -> Box:
    at = line_of(place, element)
    name = at.name(child_text(element, "name"))
    bounds = element.find("bndbox")
    if bounds is None:
        at.refuse("<bndbox> is missing; an object has xmin, ymin, xmax and ymax there.")
    at = line_of(place, bounds)
    left, top, right, bottom = (
        at.number(child_text(bounds, edge), f"<{edge}>") for edge in ("xmin", "ymin", "xmax", "ymax")
    )
    if right <= left or bottom <= top:
        at.refuse(f"the corners {left:g}, {top:g} and {right:g}, {bottom:g} enclose nothing; xmax and ymax are larger.")
    return Box(left, top, round(right - left, 6), round(bottom - top, 6), name)


def _element(item: DataObject) -> Element:
    root = Element("annotation")
    name = pictures.relative(item.source)
    add(root, "folder", "JPEGImages")
    add(root, "filename", name)
    if item.source != str(name):
        add(root, "path", item.source)
    size = add(root, "size")
    for tag, value in (("width", item.width), ("height", item.height), ("depth", 3)):
        add(size, tag, value)
    add(root, "segmented", 0)
    for shape in item.shapes or ():
        if not isinstance(shape, Box):
            raise Unsayable(f"Pascal VOC has boxes alone; '{item.source}' has another shape of {shown(shape.name)}.")
        element = add(root, "object")
        for tag, text in (("name", shape.name), ("pose", "Unspecified"), ("truncated", 0), ("difficult", 0)):
            add(element, tag, text)
        bounds = add(element, "bndbox")
        right, bottom = round(shape.left + shape.width, 6), round(shape.top + shape.height, 6)
        for tag, edge in (("xmin", shape.left), ("ymin", shape.top), ("xmax", right), ("ymax", bottom)):
            add(bounds, tag, int(edge) if float(edge).is_integer() else edge)
    return root
