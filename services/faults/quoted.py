"""What a text quotes is not what its author says."""

import re

_QUOTED = re.compile(r'"[^"\n]*(?:"|$)|“[^”\n]*(?:”|$)|^>.*$', re.MULTILINE)


def unquoted(text: str) -> str:
    """Blank out what is quoted, so that places stay."""
    is_quoting = '"' in text or "“" in text or ">" in text
    return _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text) if is_quoting else text
