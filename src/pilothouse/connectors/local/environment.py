"""What a scoring process gets of the control plane's environment: never a secret of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BASICS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
)
INDEXES = (
    "PIP_CONFIG_FILE",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_TRUSTED_HOST",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_NO_INDEX",
    "UV_OFFLINE",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PASSED_ON = frozenset((*BASICS, *CERTIFICATES, *INDEXES, *PROXIES, *map(str.lower, PROXIES)))


def passed_on(environment: Mapping[str, str], *, granted: Mapping[str, str]) -> dict[str, str]:
    """
    Give the variables of a scoring process: those of the allow-list, and what an operator grants.

    Parameters
    ----------
    environment
        The control plane's own.
    granted
        What is added on purpose.

    Examples
    --------
    >>> passed_on({"PATH": "/bin", "PILOTHOUSE_DATABASE": "postgresql://u:p@h/d"}, granted={})
    {'PATH': '/bin'}
    """
    allowed = {name: value for name, value in environment.items() if name in PASSED_ON}
    return {**allowed, **granted}
