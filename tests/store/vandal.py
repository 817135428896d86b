"""Random damage."""

import random

from worker_service.store import Store


class Vandal:
    """Does random damage: each call deletes, moves or overwrites something, without a thought."""

    def __init__(self, store: Store, seed: int) -> None:
        self._client = store.client
        self._random = random.Random(seed)
        self._prefix = store.keys.prefix

    def strike(self) -> None:
        keys = sorted(self._client.scan_iter(match=self._prefix + "*", count=1000))
        key = self._random.choice(keys)
        self._random.choice([self._delete, self._overwrite, self._thin_out, self._thin_out, self._move])(key)

    def _delete(self, key: bytes) -> None:
        self._client.delete(key)

    def _overwrite(self, key: bytes) -> None:
        self._client.delete(key)
        if self._random.random() < 0.5:
            self._client.set(key, "x")
        else:
            self._client.rpush(key, "x")

    def _thin_out(self, key: bytes) -> None:
        """Take one member or field away, or give it a value that makes no sense."""
        kind = self._client.type(key)
        if kind == b"zset":
            self._client.zrem(key, self._random.choice(self._client.zrange(key, 0, -1)))  # type: ignore[arg-type]
        elif kind == b"hash":
            field = self._random.choice(sorted(self._client.hkeys(key)))
            if self._random.random() < 0.5:
                self._client.hdel(key, field)
            else:
                self._client.hset(key, field, "nonsense")

    def _move(self, key: bytes) -> None:
        """Put the members of a set into another one of its family."""
        if self._client.type(key) == b"zset":
            family = key.partition(b":")[2].partition(b":")[0]
            others = sorted(self._client.scan_iter(match=self._prefix + family.decode() + ":*"))
            if others and self._client.type(other := self._random.choice(others)) == b"zset":
                self._client.zunionstore(other, [key, other])
                if other != key:
                    self._client.delete(key)
