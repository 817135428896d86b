"""The one table."""

from django.db import models


class Order(models.Model):
    """An order, and the job of the mail about it; none while nobody knows that it has one."""

    number = models.IntegerField(unique=True)
    email = models.EmailField()
    placed_at = models.DateTimeField(auto_now_add=True)
    job = models.CharField(max_length=36, null=True)
