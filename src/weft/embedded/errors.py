"""What can keep the embedded services from running. Each message says where and what to do."""


class EmbeddedServicesError(RuntimeError):
    """The embedded services cannot run here."""


class FolderInUseError(EmbeddedServicesError):
    """The data folder is in use by another process."""


class ServiceFailedError(EmbeddedServicesError):
    """A service or a child ended and does not come back."""
