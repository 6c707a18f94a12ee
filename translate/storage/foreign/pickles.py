"""What a pickle of weights may name. torch's own reader is the guard; this one refuses earlier, and in plain words.

`weights_only=True` lets through a few harmless-looking classes, `bytearray` among them, with which eighty bytes ask for
ten gigabytes. The pickle of a state dict needs far fewer names.
"""

import io
import pickletools
import re
from collections.abc import Iterator

from translate.errors import ModelError

_NEEDED = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor|tensor_v2|parameter)|torch (\w+Storage|Size|device)"
    r"|torch (float|bfloat|u?int)\d+|torch bool|torch\.storage UntypedStorage"
)
_NAMING = {"GLOBAL", "INST"}
_NAMING_INDIRECTLY = {"STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "REDUCE_EX"}


def check_pickles(data: bytes, count: int, name: str) -> None:
    """Look at the `count` pickles that `data` begins with, without running them.

    Raises ModelError for a name that weights do not need, and for what is not a pickle.
    """
    stream = io.BytesIO(data)
    try:
        asked = [named for _ in range(count) for named in _named(stream) if not _NEEDED.fullmatch(named)]
    except Exception as problem:  # pickletools raises several kinds on what is not a pickle
        raise ModelError(f"{name} is damaged, or its pickle is too large ({problem}): copy it again") from problem
    if asked:
        raise ModelError(
            f"{name} holds more than weights ({asked[0][:100].replace(' ', '.')}), and reading that could run code or "
            "fill the memory: save the weights alone with torch.save(network.state_dict(), PATH)"
        )


def _named(stream: io.BytesIO) -> Iterator[str]:
    """The functions and classes that one pickle asks for, as `module name`."""
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name in _NAMING:
            yield str(argument)
        elif operation.name in _NAMING_INDIRECTLY:
            yield f"something through {operation.name}"
