"""`python -m tobo.edge` is the device's command line."""

import sys

from tobo.edge.cli import main

sys.exit(main())
