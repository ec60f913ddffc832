"""The page that the device shows: what its camera sees, what it decides, and the two things that may be changed."""
