"""XML: parsed without entities or outside references, with each element's line; written with what XML can say."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, TreeBuilder, indent, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from tobo.labelling.formats.refusal import Place, Unsayable, shown
from tobo.labelling.formats.text_files import write_text

LINE = "\0line"
"""The attribute of a parsed element that holds its line; no XML attribute can have such a name."""
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (W3C, Extensible Markup Language 1.0, production 2)."""

__all__ = ["Element", "add", "child_text", "line_of", "parse", "write"]


def parse(file: Path) -> Element:
    """The root element; raises Malformed with the line where the text is not XML, or defines entities."""
    place = Place(str(file))
    try:
        data = file.read_bytes()
    except OSError as error:
        place.refuse(f"cannot be read ({error.strerror or error}).")
    builder = _Numbered()
    parser = DefusedXMLParser(target=builder)
    builder.parser = parser
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        place.inside(f"line {error.position[0]}").refuse(f"not XML ({str(error).split(':')[0]}).")
    except DefusedXmlException as error:
        place.refuse(f"it defines entities ({type(error).__name__}), which are not read for safety; take them out.")
    except (ValueError, LookupError) as error:
        place.refuse(f"not XML that can be read ({error}).")
    return root


def line_of(place: Place, element: Element) -> Place:
    """The element's place in the file."""
    return Place(place.file, f"line {element.get(LINE)} <{element.tag}>")


def child_text(element: Element, tag: str) -> str | None:
    """The text of a child without blanks around it; None where it is missing or empty."""
    found = element.findtext(tag)
    return (found or "").strip() or None


def add(parent: Element, tag: str, text: object = None, **attributes: object) -> Element:
    """A new child; raises Unsayable where text or attributes hold what XML has no way to write."""
    made = SubElement(parent, tag, {name: _checked(value) for name, value in attributes.items()})
    if text is not None:
        made.text = _checked(text)
    return made


def write(root: Element, target: Path) -> None:
    """Indented, in UTF-8."""
    indent(root)
    text: str = tostring(root, encoding="unicode")
    write_text(target, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')


def _checked(value: object) -> str:
    text = str(value)
    if _UNSAYABLE.search(text):
        raise Unsayable(f"{shown(text)} holds a character that XML cannot write; rename the picture or class.")
    return text


class _Numbered(TreeBuilder):
    parser: DefusedXMLParser

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        return super().start(tag, {**attributes, LINE: str(self.parser.parser.CurrentLineNumber)})
