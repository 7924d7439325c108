"""`weft api` without the limit of 20 states a second to the watchers of a run: else nobody could see how much it delivers.

python -m benchmarks.live_api

All the rest of it is what `weft api` is.
"""

from weft.cli.api import api
from weft.progress import hub

if __name__ == "__main__":
    hub.UPDATES_PER_SECOND = 1_000_000
    api()
