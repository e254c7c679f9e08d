"""What a command of a person can meet beside the errors of `streams`."""

from streams.errors import BallastError


class InputError(BallastError):
    """What a person gave can't be used; nothing was changed. The command ends with exit code 2."""


class StartError(BallastError):
    """The processes of a pipeline did not come up."""
