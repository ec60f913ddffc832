"""Files of labelled pictures: each format one module with `read` and `write`; `catalog` lists them."""
