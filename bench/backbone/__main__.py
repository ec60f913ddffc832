"""`python -m bench.backbone random imagenet=FILE ours=FILE`: weights beside each other, while they are being made."""

from bench.backbone.measure import main

main()
