"""Which addresses belong to the public internet.

Source: the IANA registries of special-purpose addresses (RFC 6890 and its updates), by what they are for and not by
"globally reachable", which Python versions read differently. IPv6 is the other way round: only what is given out as
global unicast (2000::/3) can be public.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments, with Teredo and what it carries
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, and what it carries
        "3fff::/20",  # documentation
    )
)


def is_permitted(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether a job may reach an address.

    Args:
        allowed: networks that it may reach although they are not public.
    """
    carried = _carried(address)
    return is_public(carried) or any(each in network for network in allowed for each in (address, carried))


def is_public(address: Address) -> bool:
    """Whether an address, or the IPv4 address that it carries, is one of the public internet."""
    address = _carried(address)
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def _carried(address: Address) -> Address:
    """The IPv4 address that packets to an IPv6 address end at, where the host or a NAT64 translates it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
