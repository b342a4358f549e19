"""hfcheck: will this backend come up and serve as a Docker Space on Hugging Face?"""

__version__ = "0.1.0"
