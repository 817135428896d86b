"""Takes orders."""

import json
from functools import partial

from django.db import IntegrityError, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from .jobs import submit_mail
from .models import Order


@require_POST
def place_order(request: HttpRequest) -> JsonResponse:
    """Keep an order; the mail is asked for when the transaction is committed, and not if it is rolled back.

    The window: killed after the commit, before the job is there, the order has no mail. `submit_forgotten` finds it.
    """
    given = json.loads(request.body)
    try:
        with transaction.atomic():
            order = Order(number=given["number"], email=given["email"])
            # As early as one likes: it waits for the commit.
            transaction.on_commit(partial(submit_mail, order))
            order.save()
    except IntegrityError:
        return JsonResponse({"error": f"there is an order {given['number']} already"}, status=409)
    return JsonResponse({"number": order.number}, status=201)
