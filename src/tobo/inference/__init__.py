"""One model behind GET /ping and POST /invocations. A guest: runs without the server."""
