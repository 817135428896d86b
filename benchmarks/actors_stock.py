"""The jobs as actors of stock Dramatiq: RedisBroker, default middleware, every setting at its default."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from . import jobs

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS_URL"]))

nothing = dramatiq.actor(jobs.nothing)
stamp = dramatiq.actor(jobs.stamp)
