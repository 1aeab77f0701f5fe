"""The simulator over HTTP: the gateway's addresses, its control, its page."""
