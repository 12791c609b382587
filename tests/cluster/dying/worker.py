"""The worker process, to be killed at points."""

from sightline.serving.worker import main
from tests.cluster.dying import plant

if __name__ == "__main__":
    plant("worker")
    main()
