"""Front door for programs: HTTP, SigV4, dispatch, streaming."""
