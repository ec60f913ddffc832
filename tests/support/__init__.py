"""What tests of several parts share: small photo sets and the requests that train and serve on them."""
