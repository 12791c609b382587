"""`sightline`, but for the processes that its supervisor starts: see the package."""

import sys

from sightline.cli.program import main
from sightline.serving import supervisor

if __name__ == "__main__":
    supervisor.WORKER, supervisor.API = "tests.cluster.dying.worker", "tests.cluster.dying.api"
    sys.exit(main())
