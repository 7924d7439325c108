"""Heavy steps in processes of their own. `isolation` is the side of the worker, `child` that of the sandbox."""
