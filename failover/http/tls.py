"""The certificate of the TCP address."""

from __future__ import annotations

import ssl

from failover.config_daemon import Tls
from failover.errors import FailoverError, HostError
from failover.paths import require_private


def tls_context(files: Tls) -> ssl.SSLContext:
    """Return what TLS needs, from the files that `http.tls` names. Raises HostError where one is wrong, or the key is
    open to others."""
    cert, key = files.cert, files.key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        require_private(key)
        context.load_cert_chain(cert, key, password=_no_password)
    except FailoverError as error:
        raise HostError(f"http.tls.key: {error}") from None
    except FileNotFoundError:
        gone, name = (key, "key") if not key.exists() else (cert, "cert")
        raise HostError(f"http.tls.{name}: {gone}: there is no such file; name the one that holds it") from None
    except (OSError, ssl.SSLError, ValueError) as error:
        what = getattr(error, "reason", None) or error
        raise HostError(
            f"http.tls: {cert} and {key} are no certificate with its key in PEM form, without a password ({what})"
        ) from None
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")
