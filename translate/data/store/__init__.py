"""Decoded pictures on disk, mapped into memory: made once, so that epochs after it decode nothing.

A store is a folder for one data set and one preparation (kinds of ports, what is done to every picture before anything
is drawn, versions of what does it). It holds *shards*: files of many pictures, each whole or absent, never changed.
Pictures are found by the content of their files; `files.json` remembers the contents by size and times, so that a file
is read again only where those changed. What the store cannot give is read from its file, so samples never depend on it.
"""

from translate.data.store.kept import Kept
from translate.data.store.preparation import Preparation
from translate.data.store.store import Store

__all__ = ["Kept", "Preparation", "Store"]
