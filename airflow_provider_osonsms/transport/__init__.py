"""A request in, a response or a TransportError out: nothing else is decided here."""
