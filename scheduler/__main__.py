"""A placeholder: waits until it is told to end."""

import signal

signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, lambda *_: None)
signal.pause()
