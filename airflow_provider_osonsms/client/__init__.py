"""The four calls as methods: the same flows, driven by a blocking and by an asynchronous client."""
