"""Where the code of an answer stands: in a fenced block of Markdown, or it is the whole text."""

import re
import textwrap

from streams.samples import Sample

TASK = "code"
_BLOCK = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_PYTHON = ("python", "python3", "py")


def code_of(sample: Sample) -> str:
    """Return the code of the last turn: its longest Python block, else its longest unnamed one, else the whole text.

    Beside the answer, models show how it is called or installed; that is shorter. A block may lack its end.
    """
    text = sample.turns[-1].text
    blocks = [(block["language"].lower(), textwrap.dedent(block["code"])) for block in _BLOCK.finditer(text)]
    for wanted in (_PYTHON, ("",)):
        if found := [code for language, code in blocks if language in wanted]:
            return max(found, key=len)
    return text
