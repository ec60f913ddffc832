"""What an operation is: its registration, its caller, its context, its lists and its policy."""
