"""Is a change of the product finished, and was it meant? Asked before a heal follows it unasked."""
