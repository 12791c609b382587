"""The API process, to be killed at points."""

from sightline.serving.api import main
from tests.cluster.dying import plant

if __name__ == "__main__":
    plant("upload")
    main()
