"""Do those who use what changed still fit it? Calls, results, overrides, parameters."""
