"""CHANGELOG.md as a page: its headings and links, which are all of Markdown that it has."""

import re
from pathlib import Path


def as_rst(markdown):
    """Text with the headings and links of reStructuredText."""
    for marks, line in (("###", "~"), ("##", "-"), ("#", "=")):
        markdown = re.sub(
            rf"^{marks} (.*)$", lambda m, c=line: f"{m[1]}\n{c * len(m[1])}", markdown, flags=re.M
        )
    return re.sub(r"\[([^]]*)\]\((https?://[^)]*)\)", r"`\1 <\2>`__", markdown)


def insert(app, name, source):
    if name == "changelog":
        path = Path(app.srcdir).parent / "CHANGELOG.md"
        app.env.note_dependency(str(path), docname=name)
        source[0] = as_rst(path.read_text(encoding="utf-8"))


def setup(app):
    app.connect("source-read", insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
