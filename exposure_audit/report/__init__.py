"""One view of the result, tamed once, and the formats that print it."""
