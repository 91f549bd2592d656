"""Work that runs in another process: the queue, the worker, the kinds of jobs."""
