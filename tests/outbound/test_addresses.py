"""Which addresses jobs may reach."""

from ipaddress import ip_address, ip_network

import pytest

from worker_service.outbound.addresses import is_permitted, is_public


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "93.184.216.34",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::200e",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
    ],
)
def test_addresses_of_the_internet_are_public(text: str):
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1.1.1.1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "5f00::1",
    ],
)
def test_all_others_are_not(text: str):
    assert not is_public(ip_address(text))
    assert not is_permitted(ip_address(text), ())


@pytest.mark.parametrize(
    ("allowed", "address", "is_let_through"),
    [
        ("10.1.0.0/16", "10.1.255.255", True),
        ("10.1.0.0/16", "10.2.0.0", False),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("10.1.0.0/16", "64:ff9b::10.1.0.1", True),
        ("127.0.0.1", "::1", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "127.0.0.1", False),
        ("0.0.0.0/0", "169.254.169.254", True),
    ],
)
def test_networks_that_are_allowed_are_let_through(allowed: str, address: str, is_let_through: bool):
    assert is_permitted(ip_address(address), [ip_network(allowed)]) is is_let_through
