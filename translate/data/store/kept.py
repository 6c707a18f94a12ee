"""What a store gives while a run trains: the prepared pictures of a sample, straight from the disk's cache."""

import contextlib
import logging
import mmap
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from translate.data.store.preparation import Preparation
from translate.data.store.shard import Place, Record, Shard, map_shard

_LOG = logging.getLogger(__name__)
_ABSENT: Final = -1


class Kept:
    """The pictures of a list of samples, as far as they are in a store.

    Every array is held against its checksum when a process gives it out for the first time. A shard in which one is
    damaged is not used again, and is removed, so that the next run makes it anew; samples come from their files then.
    """

    def __init__(self, preparation: Preparation, found: Sequence[tuple[Shard, Record] | None]) -> None:
        """Take note of where the pictures lie.

        Args:
            preparation: how they were made.
            found: for each sample its shard and its places in it, or None.
        """
        self._preparation = preparation
        files = {item[0].path: item[0].size for item in found if item is not None}
        self._files = list(files.items())
        numbers = {path: number for number, path in enumerate(files)}
        self._shards = np.array([_ABSENT if item is None else numbers[item[0].path] for item in found], np.int32)
        self._places = np.zeros((len(found), len(preparation.ports), len(Place._fields)), np.int64)
        for row, item in enumerate(found):
            if item is not None:
                self._places[row] = item[1].places
        self._begin()
        for number in range(len(self._files)):  # now: a file that is open stays when another run removes it
            self._map(number)

    def __len__(self) -> int:
        """Samples that are there."""
        return int((self._shards != _ABSENT).sum())

    def pictures(self, index: int) -> dict[str, np.ndarray] | None:
        """The pictures of a sample by port name, not to be written to; None where they have to be read from files."""
        number = int(self._shards[index])
        shard = None if number == _ABSENT else self._map(number)
        if shard is None:
            return None
        ports = self._preparation.ports
        arrays = {port.name: self._array(shard, index, place) for place, port in enumerate(ports)}
        if not self._checked[index]:
            if not self._is_sound(index, arrays):
                self._discard(number)
                return None
            self._checked[index] = True
        return arrays

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_maps", "_checked")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _begin(self) -> None:
        self._maps: dict[int, mmap.mmap | None] = {}
        self._checked = np.zeros(len(self._shards), np.bool_)

    def _map(self, number: int) -> mmap.mmap | None:
        if number not in self._maps:
            self._maps[number] = map_shard(*self._files[number])
        return self._maps[number]

    def _array(self, shard: mmap.mmap, index: int, place: int) -> np.ndarray:
        offset, height, width, _ = self._places[index, place].tolist()
        shape, kind = self._preparation.shape(place, height, width), self._preparation.type(place)
        return np.ndarray(shape, kind, buffer=shard, offset=offset)

    def _is_sound(self, index: int, arrays: Mapping[str, np.ndarray]) -> bool:
        sums = self._places[index, :, Place._fields.index("crc")].tolist()
        return all(zlib.crc32(array.data) == crc for array, crc in zip(arrays.values(), sums, strict=True))

    def _discard(self, number: int) -> None:
        path, _ = self._files[number]
        self._maps[number] = None
        _LOG.warning("%s is damaged: its pictures are read from their files, and cached anew by the next run", path)
        with contextlib.suppress(OSError):
            path.unlink()
