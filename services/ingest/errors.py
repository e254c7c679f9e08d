"""What can go wrong with input, with the one thing that follows from each.

IngestError   the input as a whole can't be used   -> the command ends before anything is written
UnfitError    one row is no sample                 -> a bad line: reported, dead-lettered, the rest goes on
"""

from services.errors import InputError
from streams.errors import BallastError


class IngestError(InputError):
    """A file, folder, package or column that was asked for is not there or not what it was said to be."""


class UnfitError(BallastError):
    """A row does not make a sample; the message is the reason."""
