"""How much one visitor may ask for: a bucket of tokens each, filled at a steady rate."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MOST_VISITORS: Final = 4_096


@dataclass(kw_only=True)
class _Bucket:
    tokens: float
    at: float


class Rates:
    """Token buckets by visitor; the least recent visitors are forgotten first, so memory has a ceiling."""

    def __init__(self, *, per_second: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_for(self, visitor: str) -> float:
        """Take a token: 0, or after how many seconds there will be one."""
        now = self._clock()
        bucket = self._buckets.pop(visitor, None) or _Bucket(tokens=self._burst, at=now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        self._buckets[visitor] = bucket
        if len(self._buckets) > _MOST_VISITORS:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._per_second
        bucket.tokens -= 1
        return 0.0
