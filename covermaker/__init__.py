"""Covermaker: a studio for song covers with a trained singing voice."""

import os

__version__ = "0.1.0"

# numpy's own threads: its products are small here, where a second thread costs more than it gives, many times more
# beside other work; and the order of a sum must not depend on how many cores there are.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
