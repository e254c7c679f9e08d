"""Groups of samples that statistics are kept of: `word/task/source`, the word that of the topic they lie in.

Sources are the recipe's, and some that are none: these names a recipe can't give.
"""

from typing import NamedTuple

from streams.samples import Sample

HUMAN = "human"
ALL = "all"  # a batch is one whole, and all synthetic text of a task is one too
OTHER = "other"  # what is beyond the number of groups that are told apart; a task may be that too
BROUGHT = "ingest"  # candidates that a file brought, without a source
RESERVED = (HUMAN, ALL, OTHER, BROUGHT)
MOST = 64  # groups
OF_A_TASK = 5  # seeds, mix, all that is generated, and the other sources generated and accepted
OF_A_SOURCE = 2  # generated and accepted
MOST_SOURCES = (MOST // 2 - OF_A_TASK) // OF_A_SOURCE  # told apart, so that one task and all others have room


def source_of(sample: Sample) -> str:
    """Return the name of the source of a sample."""
    return BROUGHT if sample.lineage.source is None else sample.lineage.source.name


class Name(NamedTuple):
    """A group's name in parts: word of the topic, task, source."""

    word: str
    task: str
    source: str

    def __str__(self) -> str:
        return "/".join(self)

    @property
    def is_tested(self) -> bool:
        """Tell whether it has a baseline of its own: human seeds have, and each source by itself."""
        return self.word in ("generate", "seed") and self.source not in (ALL, OTHER)


def parsed(name: str) -> Name:
    """Return the parts of a group's name; a task may have slashes. What is no such name is all source."""
    word, _, rest = name.partition("/")
    task, found, source = rest.rpartition("/")
    return Name(word, task, source) if found else Name("", "", name)
