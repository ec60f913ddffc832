"""Log streams and metric series. The promise is in base.py."""
