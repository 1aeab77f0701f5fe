"""The clients: the flows of the protocol as methods, one client blocking and one asynchronous."""
