"""Durations in words."""

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_UNITS = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", _SECOND, "s"))


def duration(ms: float) -> str:
    """In at most two units: ``7 ms``, ``1.4 s``, ``12 s``, ``3 min 20 s``, ``2 d 4 h``."""
    ms = int(ms)
    if ms < _SECOND:
        return f"{ms} ms"
    if ms < 10 * _SECOND:
        return f"{ms // 100 / 10} s"
    if ms < _MINUTE:
        return f"{ms // _SECOND} s"
    large_ms, large, small_ms, small = next(each for each in _UNITS if ms >= each[0])
    rest = ms % large_ms // small_ms
    return f"{ms // large_ms} {large}" + (f" {rest} {small}" if rest else "")
