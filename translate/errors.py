"""The errors that Pixturn raises on purpose, each with the exit code that the command ends with.

The codes are a contract: 0 ok, 2 configuration, 3 data set, 4 model refused, 5 disk or memory, 6 device,
7 diverged, 8 some inputs failed, 130 stopped by Ctrl-C after saving, 143 stopped by SIGTERM after saving.

A message names the file or the option, says what is wrong, and says what to do.
"""


class PixturnError(Exception):
    """Whatever Pixturn refuses; catch this to catch all of them."""

    exit_code: int = 1


class ConfigurationError(PixturnError):
    """An option, a recipe or a name that cannot be used."""

    exit_code = 2


class DatasetError(PixturnError):
    """A data set that cannot be trained on or scored."""

    exit_code = 3


class PictureError(DatasetError):
    """One picture that is refused; `reason` is a short code (`truncated`, `too_many_pixels`, ...)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ModelError(PixturnError):
    """A checkpoint or model that is damaged, foreign or too new."""

    exit_code = 4


class StorageError(PixturnError):
    """No room left on disk or in memory; the message gives path, need and free space."""

    exit_code = 5


class DeviceError(PixturnError):
    """The device that was asked for is not there."""

    exit_code = 6


class DivergedError(PixturnError):
    """The numbers of a training run stopped being finite."""

    exit_code = 7


class PartialFailureError(PixturnError):
    """Some inputs failed; the rest are done."""

    exit_code = 8


def require(condition: bool, option: str, value: float, choose: str) -> None:
    """Raise ConfigurationError for an option (without its dashes) whose value cannot be; `choose` says what can."""
    if not condition:
        raise ConfigurationError(f"--{option} is {value}: choose {choose}")
