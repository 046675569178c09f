"""Who answers for where something leads."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import models

from core.actors import id_of
from core.db import clean_text
from core.fields import CompactUUIDField


class HasMaintainer(models.Model):
    """Leads where a person has chosen, who looks after it; by the id, because names can be changed and taken over."""

    created_by = models.TextField(blank=True, editable=False)
    maintainer_id = CompactUUIDField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def maintainer_has_left(self) -> bool:
        """Deactivated or removed; of rows from before the id was kept, by the name."""
        people = get_user_model().objects
        if self.maintainer_id:
            return not people.filter(pk=self.maintainer_id, is_active=True).exists()
        return people.filter(username=self.created_by, is_active=False).exists()


def maintained_by(person: str) -> dict[str, object]:
    """The columns, once this person looks after it."""
    return {"created_by": clean_text(person, 200), "maintainer_id": id_of(person)}
