"""Who is trusted at the other end of a connection. It opens none."""

import ssl


def context(secure: bool) -> ssl.SSLContext:
    """Return a context that verifies with the system's trust store; without TLS, one that trusts nobody."""
    if not secure:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import truststore

    checked = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    checked.minimum_version = ssl.TLSVersion.TLSv1_2
    return checked
