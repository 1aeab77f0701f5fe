"""The simulator over HTTP: the gateway's addresses, the control addresses and the page."""
