"""Errors meant for analysts: one clear sentence that says what is wrong, what was found, and what to do.

Bugs are not in this family: they raise built-in errors and crash.
"""


class AdError(Exception):
    """Shown to the user as it is; its text must make sense without a stack trace."""


class DataError(AdError, ValueError):
    """The data can't be used as they are."""


class SettingsError(AdError, ValueError):
    """A setting is unknown, of the wrong type or out of range, or two settings contradict each other."""


class MethodError(AdError, ValueError):
    """A method is unknown, or does not fit the data or the question."""


class BundleError(AdError):
    """A detector bundle is missing, cut off, edited, or of a format that this version can't read."""


class ExplanationError(AdError):
    """The detector can't be explained by the requested method."""


class StoreError(AdError):
    """The folder or the database of this installation can't be used, or a record in it is gone."""


class DamagedError(StoreError):
    """A stored result was cut off, edited or deleted; what else there is of the run can still be used."""


class ResourceError(AdError):
    """Memory, disk or device ran out, and nothing smaller is left to try."""


class Cancelled(AdError):
    """The user asked for the work to stop."""
