"""The one way in which this service asks other servers: public addresses only, within a time, without proxies.

Whoever sends a job names the address, so it may be that of something only this host can reach: the store, a service
without a password, the metadata of a cloud. Names can be made to lead there, and to lead elsewhere a moment later.

Reading order: addresses (which are public), backend (checks every connection), transport and
client (what is asked through it).
"""

from .addresses import Network
from .client import checked_client

__all__ = ["Network", "checked_client"]
