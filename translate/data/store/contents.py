"""What lies in the folder of a store, and which of it belongs to the files of a data set as they are now."""

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from translate.data.store.files import Known, Sources, key_of, read_known, stamp_of
from translate.data.store.shard import SUFFIX, DamagedShardError, Record, Shard, read_shard

_LOG = logging.getLogger(__name__)

_LEAST_USE: Final = 0.5
"""The share of a shard's samples that must be of use; below, it is removed, and what was of use is made again."""


class Contents:
    """The shards of a folder, and the contents that files of the data set had when they were last read."""

    def __init__(self, shards: Sequence[Shard], known: Mapping[str, Known], fresh: Mapping[Path, Known]) -> None:
        """Take in a folder.

        Args:
            shards: those that are whole.
            known: what the folder knows of files, by path.
            fresh: files that this process has read just now: they need no second look.
        """
        self.known = known
        self._shards = shards
        self._records = {key: (shard, record) for shard in shards for key, record in shard.records.items()}
        self._digests: dict[Path, str | None] = {path: file.digest for path, file in fresh.items()}

    @property
    def keys(self) -> Collection[str]:
        """Of the samples that are there."""
        return self._records.keys()

    def lacking(self, items: Sequence[Sources]) -> list[Sources]:
        """The samples that are not there, or of whose files it is not known, each once."""
        return [sources for sources in dict.fromkeys(items) if self._key(sources) not in self._records]

    def find(self, sources: Sources) -> tuple[Shard, Record] | None:
        """Where a sample lies; None where it is not there, or its files were refused."""
        found = self._records.get(self._key(sources) or "")
        return found if found is not None and found[1].places else None

    def remove_useless(self) -> None:
        """Remove shards of which the data set needs less than half. Only where it is known what its files hold."""
        if not self.known:
            return
        needed = {known.digest for path, known in self.known.items() if _may_hold(Path(path), known)}
        for shard in self._shards:
            useful = sum(needed.issuperset(record.contents) for record in shard.records.values())
            if useful < _LEAST_USE * len(shard.records):
                shard.path.unlink(missing_ok=True)

    def _key(self, sources: Sources) -> str | None:
        digests = {source.path: self._digest(source.path) for source in sources}
        known = {path: digest for path, digest in digests.items() if digest is not None}
        return key_of(sources, known) if len(known) == len(digests) else None

    def _digest(self, path: Path) -> str | None:
        """Of the file's content as it is now; None where that is not known without reading it."""
        if path not in self._digests:
            known = self.known.get(str(path))
            self._digests[path] = known.digest if known is not None and known.stamp == stamp_of(path) else None
        return self._digests[path]


def read_contents(folder: Path, fresh: Mapping[Path, Known] | None = None) -> Contents:
    """What lies in a folder, which need not be there. Damaged shards are passed over."""
    shards = list(_shards(folder))
    return Contents(shards, read_known(folder), fresh or {})


def _shards(folder: Path) -> Iterator[Shard]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            yield read_shard(path)
        except DamagedShardError as problem:
            _LOG.warning("A part of the cache is damaged, and is made anew: %s", problem)
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError as problem:
            if path.exists():  # else another run has removed it
                _LOG.warning("A part of the cache cannot be read: %s", problem)


def _may_hold(path: Path, known: Known) -> bool:
    """Whether a file may still have the content that it had: it is there, and has that size."""
    stamp = stamp_of(path)
    return stamp is not None and known.stamp is not None and stamp.size == known.stamp.size
