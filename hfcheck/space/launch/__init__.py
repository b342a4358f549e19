"""From ENTRYPOINT and CMD to the process that listens."""
