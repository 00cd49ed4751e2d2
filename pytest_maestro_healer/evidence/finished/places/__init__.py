"""Is what was moved still the same where it is now? Modules, what they load, what they read of their surroundings."""
