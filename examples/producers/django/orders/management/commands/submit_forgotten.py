"""``manage.py submit_forgotten``: every few minutes, from cron or as a schedule of the service."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from ...jobs import submit_mail
from ...models import Order


class Command(BaseCommand):
    """Asks for the mails about orders of which nobody wrote down that they have a job.

    Those of a day at most: for so long the service knows an Idempotency-Key, and answers with the job that there is.
    """

    help = "asks for the jobs of orders that have none"

    def add_arguments(self, parser: CommandParser) -> None:
        """How old an order has to be: one that is just being taken is not forgotten."""
        parser.add_argument("--older-than-s", type=float, default=60)

    def handle(self, *, older_than_s: float, **_: object) -> None:
        """See the class."""
        now = timezone.now()
        forgotten = Order.objects.filter(
            job=None,
            placed_at__lt=now - timedelta(seconds=older_than_s),
            placed_at__gt=now - timedelta(hours=23),
        )
        done = [submit_mail(order) for order in forgotten.order_by("placed_at")[:1000]]
        self.stdout.write(f"{sum(done)} of {len(done)} orders have their job now")
