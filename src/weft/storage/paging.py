"""Reading the key of a page where a list is sorted by id."""

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import PageRequest


def after_id(page: PageRequest) -> UUID | None:
    """The id behind which the page begins; None from the start of the list."""
    if page.after is None:
        return None
    try:
        return UUID(page.after)
    except ValueError:
        raise Invalid("This is not a cursor of this list.", path=("after",)) from None
