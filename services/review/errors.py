"""What can go wrong when people decide, with the one thing that follows from each.

ReviewError   a decision can't be taken                   -> told to who gave it; nothing was written
StoreError    the file of the reviewers can't be used     -> the stage or command ends
LoginError    a name, password or session is not good     -> told to who gave it
"""

from services.errors import InputError


class ReviewError(InputError):
    """A decision can't be taken; nothing was written."""


class StoreError(InputError):
    """The file of reviewers and their decisions can't be used."""


class LoginError(InputError):
    """Somebody can't come in."""
