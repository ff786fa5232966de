"""Faults that a user can mend: each message is one sentence that names the place and the fix."""


class WorkbenchError(Exception):
    """Base of every fault whose message is meant for a user; anything else is a defect of ours."""


class InvalidInputError(WorkbenchError):
    """An argument or a setting is out of its bounds."""


class DataError(WorkbenchError):
    """A file or table cannot be read or does not fit its schema."""


class RegistryError(WorkbenchError):
    """A model is unknown, incomplete, or not what its card says."""


class ResultFileError(WorkbenchError):
    """A result file is damaged, changed, or of another kind."""


class CancelledError(WorkbenchError):
    """The user asked for the work to stop."""


class LimitError(WorkbenchError):
    """A limit of time, memory, space, size or rate was reached; the message names the setting."""


class AccessError(WorkbenchError):
    """It does not exist or belongs to someone else; a message never says which."""
