"""The engine in a process of its own, for the doors that are no pytest run: what to run, running it, reading the answer."""
