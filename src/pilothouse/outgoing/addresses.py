"""Which network addresses a name may stand for, so that no drawing reaches what only this host should."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from pilothouse.domain.outgoing import AddressRefusedError

Address = IPv4Address | IPv6Address
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv6 networks whose last four bytes are an IPv4 address (RFC 6052 section 2.1, RFC 4291 section 2.5.5.1)."""

CREDENTIALS = frozenset(
    ip_address(text)
    for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")
)
"""Where clouds hand out credentials beside link-local: Amazon and Google over IPv6, Alibaba, and Azure's host."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """
    Give every address that a name stands for.

    Raises
    ------
    OSError
        When the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_address(address: str, *, host: str, private: bool) -> None:
    """
    Make sure that an address may be called.

    Public ones may, and with `private` those of a company's own network and of this host. Link-local ones never
    may, nor the others in `CREDENTIALS`, whoever grants them: clouds hand out credentials there.

    Raises
    ------
    AddressRefusedError
        When it may not.

    Examples
    --------
    >>> check_address("192.0.43.10", host="example.com", private=False)
    >>> check_address("169.254.169.254", host="example.com", private=True)
    Traceback (most recent call last):
        ...
    pilothouse.domain.outgoing.AddressRefusedError: example.com stands for 169.254.169.254, which is link-local...
    """
    problem = _problem(_meant(ip_address(address)), private=private)
    if problem:
        raise AddressRefusedError(host=host, address=address, problem=problem)


def _meant(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 one carries, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if carried is not None:
        return carried
    wrapped = any(address in network for network in TRANSLATED)
    special = address.is_loopback or address.is_unspecified
    return IPv4Address(int(address) & 0xFFFFFFFF) if wrapped and not special else address


def _problem(address: Address, *, private: bool) -> str:
    if address.is_link_local:
        return "link-local"
    if address in CREDENTIALS:
        return "where a cloud hands out credentials"
    if address.is_multicast or address.is_unspecified:
        return "no address of one host"
    if address.is_reserved and not address.is_loopback:
        return "reserved"
    if not address.is_global and not private:
        return "private"
    return ""
