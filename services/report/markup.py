"""HTML and SVG as a tree: text and attributes are escaped where the tree is written, so no text can become markup."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

Node = Element
Content = Node | str | None


def node(tag: str, *content: Content | Iterable[Content], **attributes: object) -> Node:
    """Return an element; `class_` is written class, other underscores are hyphens, and None is left out."""
    made = Element(tag, {_attribute(name): str(value) for name, value in attributes.items() if value is not None})
    for part in content:
        for each in [part] if part is None or isinstance(part, str | Element) else part:
            _append(made, each)
    return made


def document(root: Node) -> str:
    """Return the whole page."""
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _append(parent: Node, content: Content) -> None:
    if isinstance(content, Element):
        parent.append(content)
    elif content and len(parent):
        parent[-1].tail = (parent[-1].tail or "") + content
    elif content:
        parent.text = (parent.text or "") + content


def _attribute(name: str) -> str:
    return "viewBox" if name == "view_box" else name.rstrip("_").replace("_", "-")
