"""The pytest11 entry point: options and registration, thin."""
